// Loads the configuration: defaults < file < environment < command line, references resolved, everything checked.

import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Contradiction } from './contradictions/contradiction.ts'
import { contradictions } from './contradictions/contradictions.ts'
import { configModel } from './model.ts'
import { withoutComments } from './reading/comments.ts'
import { completeConfig } from './reading/complete.ts'
import { overrideFromEnvironment } from './reading/environment.ts'
import { isObject, type Path, pathText, valueAt, withoutPath } from './reading/path.ts'
import { ConfigError, expectation, type Located, type Problem, problemsOf } from './reading/problems.ts'
import { MAX_FILE, MissingFile, readText, resolveReferences } from './reading/references.ts'
import { readWritten, syntaxOf } from './reading/syntax.ts'
import { warningsOf } from './reading/warnings.ts'
import { SyntaxProblem, type Written } from './reading/written.ts'
import { type Config, configSchema } from './schema.ts'

export { ConfigError } from './reading/problems.ts'

/** Where a configuration comes from. */
export interface LoadOptions {
  /** the file, JSON with comments or YAML by its name; without it, defaults, environment and overrides make the configuration */
  readonly file?: string | undefined
  /** `process.env`, or what stands for it */
  readonly env: Readonly<Record<string, string | undefined>>
  /** values from the command line, shaped like the file; objects are merged, all else replaces */
  readonly overrides?: object | undefined
}

/** A configuration that can be used, and what is unwise about it. */
export interface Loaded {
  readonly config: Config
  readonly warnings: string[]
}

const EMPTY: Written = { value: {}, repeated: [], placeOf: () => undefined }
const LARGEST = 16 * MAX_FILE

function read(file: string | undefined): Written {
  if (file === undefined) return EMPTY
  const reject = (found: string, expected: string, source?: string): never => {
    throw new ConfigError([{ path: '', found, expected, source }], file)
  }
  let source: string
  try {
    source = readText(file, LARGEST)
  } catch (error) {
    if (error instanceof MissingFile)
      return reject(
        'no such file',
        `a ${syntaxOf(file)} file, of which {} is a complete one; without -c the defaults hold, and flags set the rest (--help); ${otherThan(file)}`,
      )
    return reject(
      error instanceof Error ? error.message : 'nothing readable',
      `a readable ${syntaxOf(file)} file`,
    )
  }
  try {
    return readWritten(source, file)
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error
    const { found, expected, place } = error
    return reject(found, expected, `line ${place.line}, column ${place.column}`)
  }
}

/** What may have been meant by a file that is not there: the same name with another ending. */
function otherThan(file: string): string {
  const stem = file.replace(/\.(jsonc?|ya?ml)$/i, '')
  const there = ['.json', '.jsonc', '.yaml', '.yml']
    .map((ending) => stem + ending)
    .find((name) => existsSync(name))
  return there === undefined ? 'mqttsn init writes one' : `there is ${there}`
}

// Objects are merged, everything else replaces; a flag that was not given is undefined and changes nothing.
function merge(base: unknown, over: unknown): unknown {
  if (over === undefined) return base
  if (!isObject(over)) return over
  const merged: Record<string, unknown> = isObject(base) ? { ...base } : {}
  for (const [key, value] of Object.entries(over)) {
    if (value !== undefined) merged[key] = merge(merged[key], value)
  }
  return merged
}

function leaves(tree: unknown, path: Path = []): Path[] {
  if (isObject(tree)) return Object.entries(tree).flatMap(([key, value]) => leaves(value, [...path, key]))
  return tree === undefined ? [] : [path]
}

// Contradictions can be found in spite of other problems: with what is wrong left out, the rest makes a configuration.
// Leaving out what is not there (a missing key) means leaving out the object that lacks it, hence the rounds.
function contradictionsBeside(tree: unknown, problems: readonly Located[]): Contradiction[] {
  const wrong = problems.filter(({ at }) => at.length > 0).map(({ at }) => listOf(at))
  let rest = wrong.reduce(withoutPath, tree)
  for (let round = 0; round < ROUNDS; round++) {
    const parsed = configSchema.safeParse(rest)
    if (parsed.success) {
      const found = contradictions(completeConfig(parsed.data, rest, [], '.'))
      return found.filter(({ about }) => !about.some((path) => wrong.some((bad) => overlap(bad, path))))
    }
    for (const { at } of problemsOf(parsed.error.issues, {}, rest)) {
      const present = listOf(valueAt(rest, at) === undefined ? at.slice(0, -1) : at)
      wrong.push(present)
      rest = withoutPath(rest, present)
    }
  }
  return []
}

const ROUNDS = 5
const listOf = (path: Path): Path => (typeof path.at(-1) === 'number' ? path.slice(0, -1) : path)
const overlap = (a: Path, b: Path) => a.every((part, i) => i >= b.length || part === b[i])

/** Loads and checks a configuration; throws `ConfigError` with everything that is wrong. Changes nothing anywhere. */
export function loadConfig(options: LoadOptions): Loaded {
  const { file, env, overrides } = options
  const text = read(file)
  const model = configModel()
  const environment = overrideFromEnvironment(withoutComments(text.value), env, model)
  const written = merge(environment.tree, overrides)
  const directory = file === undefined ? process.cwd() : dirname(resolve(file))
  const resolved = resolveReferences(written, { env, directory, model })

  const origins = new Map(environment.origins)
  for (const path of leaves(overrides)) origins.set(pathText(path), 'command line')
  const problems: Located[] = [...environment.problems, ...repetitions(text), ...resolved.problems]
  const parsed = configSchema.safeParse(resolved.tree, { error: expectation })
  if (!parsed.success) {
    const known = new Set(problems.map(({ path }) => path))
    problems.push(...problemsOf(parsed.error.issues, model, written).filter(({ path }) => !known.has(path)))
  }
  const found = contradictionsBeside(resolved.tree, problems)
  problems.push(...found.map(({ about: [at], ...words }) => ({ at, path: pathText(at), ...words })))
  if (!parsed.success || problems.length > 0) {
    throw new ConfigError(
      problems.map((problem) => sourced(problem, origins, text)),
      file,
    )
  }
  const config = completeConfig(parsed.data, resolved.tree, resolved.referenced, directory)
  return { config, warnings: warningsOf(config) }
}

const repetitions = (text: Written): Located[] =>
  text.repeated.map((at) => ({
    at,
    path: pathText(at),
    found: 'the key a second time',
    expected: 'each key once',
  }))

// Where a value was set: overrides of the path or of anything above it count before the file.
function sourced({ at, ...problem }: Located, origins: ReadonlyMap<string, string>, text: Written): Problem {
  if (problem.source !== undefined) return problem
  const upwards = at.map((_, i) => pathText(at.slice(0, at.length - i)))
  const origin = upwards.map((path) => origins.get(path)).find((name) => name !== undefined)
  const place = upwards.map((path) => text.placeOf(path)).find((found) => found !== undefined)
  return { ...problem, source: origin ?? (place && `line ${place.line}`) }
}
