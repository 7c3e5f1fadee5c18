// A document of settings, whatever its schema: defaults < file < environment < command line, references resolved, and everything
// that is wrong told at once.

import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { z } from 'zod'
import type { Contradiction } from '../contradictions/contradiction.ts'
import { modelOf } from '../model.ts'
import { withoutComments } from './comments.ts'
import { overrideFromEnvironment, type Variables } from './environment.ts'
import { isObject, type Path, pathText, valueAt, withoutPath } from './path.ts'
import { ConfigError, expectation, type Located, type Problem, problemsOf } from './problems.ts'
import { MAX_FILE, MissingFile, readText, resolveReferences } from './references.ts'
import { readWritten, syntaxOf } from './syntax.ts'
import { SyntaxProblem, type Written } from './written.ts'

/** Where a document comes from. */
export interface DocumentSource {
  /** the file, JSON with comments or YAML by its name; without it, defaults, environment and overrides make the document */
  readonly file?: string | undefined
  /** `process.env`, or what stands for it */
  readonly env: Readonly<Record<string, string | undefined>>
  /** values from the command line, shaped like the file; objects are merged, all else replaces */
  readonly overrides?: object | undefined
}

/** A kind of document. */
export interface DocumentKind<Schema extends z.ZodType> {
  readonly schema: Schema
  /** the variables that set its keys */
  readonly variables: Variables
  /** told where there is no such file: what else there is to do */
  readonly instead: { readonly such: string; readonly toWrite: string }
  /** keys of other programs are hinted at */
  readonly hints: boolean
  /** further changes before anything is checked */
  prepare?(tree: unknown, env: DocumentSource['env']): unknown
  /** values that do not fit together; `written`: what was parsed, references resolved */
  contradictions(parsed: z.output<Schema>, written: unknown): Iterable<Contradiction>
}

/** What a document says. */
export interface ReadDocument<Schema extends z.ZodType> {
  readonly parsed: z.output<Schema>
  /** what was parsed, references resolved */
  readonly written: unknown
  /** paths of the texts that came from references: secret */
  readonly referenced: readonly string[]
  /** where relative paths start from */
  readonly directory: string
}

const EMPTY: Written = { value: {}, repeated: [], placeOf: () => undefined }
const LARGEST = 16 * MAX_FILE

function read(file: string | undefined, { such, toWrite }: DocumentKind<z.ZodType>['instead']): Written {
  if (file === undefined) return EMPTY
  const reject = (found: string, expected: string, source?: string): never => {
    throw new ConfigError([{ path: '', found, expected, source }], file)
  }
  let source: string
  try {
    source = readText(file, LARGEST)
  } catch (error) {
    if (error instanceof MissingFile)
      return reject('no such file', `a ${syntaxOf(file)} file, ${such}; ${otherThan(file) ?? toWrite}`)
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
function otherThan(file: string): string | undefined {
  const stem = file.replace(/\.(jsonc?|ya?ml)$/i, '')
  const there = ['.json', '.jsonc', '.yaml', '.yml']
    .map((ending) => stem + ending)
    .find((name) => existsSync(name))
  return there === undefined ? undefined : `there is ${there}`
}

// Objects are merged, everything else replaces; a flag that was not given is undefined and changes nothing. What has a url may be
// written as that alone.
function merge(base: unknown, over: unknown): unknown {
  if (over === undefined) return base
  if (!isObject(over)) return over
  const merged: Record<string, unknown> =
    typeof base === 'string' ? { url: base } : isObject(base) ? { ...base } : {}
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
function contradictionsBeside<Schema extends z.ZodType>(
  { schema, contradictions }: DocumentKind<Schema>,
  tree: unknown,
  problems: readonly Located[],
): Contradiction[] {
  const wrong = problems.filter(({ at }) => at.length > 0).map(({ at }) => listOf(at))
  let rest = wrong.reduce(withoutPath, tree)
  for (let round = 0; round < ROUNDS; round++) {
    const parsed = schema.safeParse(rest)
    if (parsed.success) {
      const found = [...contradictions(parsed.data, rest)]
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

/** Reads and checks a document; throws `ConfigError` with everything that is wrong. Changes nothing anywhere. */
export function readDocument<Schema extends z.ZodType>(
  kind: DocumentKind<Schema>,
  { file, env, overrides }: DocumentSource,
): ReadDocument<Schema> {
  const { schema, variables, hints, prepare = (tree) => tree } = kind
  const text = read(file, kind.instead)
  const model = modelOf(schema)
  const environment = overrideFromEnvironment(withoutComments(text.value), env, model, variables)
  const tree = prepare(merge(environment.tree, overrides), env)
  const directory = file === undefined ? process.cwd() : dirname(resolve(file))
  const resolved = resolveReferences(tree, { env, directory, model })

  const origins = new Map(environment.origins)
  for (const path of leaves(overrides)) origins.set(pathText(path), 'command line')
  const problems: Located[] = [...environment.problems, ...repetitions(text), ...resolved.problems]
  const parsed = schema.safeParse(resolved.tree, { error: expectation })
  if (!parsed.success) {
    const known = new Set(problems.map(({ path }) => path))
    const found = problemsOf(parsed.error.issues, model, tree, hints)
    problems.push(...found.filter(({ path }) => !known.has(path)))
  }
  const found = contradictionsBeside(kind, resolved.tree, problems)
  problems.push(...found.map(({ about: [at], ...words }) => ({ at, path: pathText(at), ...words })))
  if (!parsed.success || problems.length > 0) {
    throw new ConfigError(
      problems.map((problem) => sourced(problem, origins, text)),
      file,
    )
  }
  return { parsed: parsed.data, written: resolved.tree, referenced: resolved.referenced, directory }
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
