// What is wrong with a configuration, in words: all of it at once, each with path, finding and expectation.

import type { z } from 'zod'
import { foreignKeyHint, plainKey, urlOfParts } from '../hints/foreign-keys.ts'
import { schemeHint } from '../hints/likely-addresses.ts'
import { likelyValueHint } from '../hints/likely-values.ts'
import { alternatives, kindAt, knownPaths, type Node, nodesAt, typesOf } from '../model.ts'
import { nearest } from './nearest.ts'
import { isObject, type Path, pathText, valueAt } from './path.ts'

/** One thing wrong. No field ever holds a secret. */
export interface Problem {
  /** such as `listeners[0].roaming`; empty for the file as a whole */
  readonly path: string
  readonly found: string
  readonly expected: string
  /** the known key that was probably meant */
  readonly suggestion?: string | undefined
  /** what would be right there, where a likely mistake was made */
  readonly hint?: string | undefined
  /** where it was set: "line 4", an environment variable, "command line" */
  readonly source?: string | undefined
}

/** One problem on one line. */
export function problemText({ path, found, expected, suggestion, hint, source }: Problem): string {
  const place = source === undefined ? path : `${path} (${source})`.trim()
  const meant = suggestion === undefined ? '' : `; did you mean "${suggestion}"?`
  const remedy = hint === undefined ? '' : `; ${hint}`
  return `${place === '' ? '' : `${place}: `}found ${found}, expected ${expected}${meant}${remedy}`
}

/** A configuration that cannot be used; `problems` holds everything wrong with it. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[]
  /** the file, if there is one */
  readonly file: string | undefined

  constructor(problems: readonly Problem[], file?: string) {
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
    const lines = problems.map((problem) => `  ${problemText(problem)}`)
    const [missing] = problems.filter(({ path, source }) => path === '' && source === undefined)
    // What concerns the file as a whole is the only problem, and fits on one line.
    if (missing !== undefined && file !== undefined) super(`${file}: ${problemText(missing)}`)
    else super([`${file ?? 'The configuration'} has ${count}:`, ...lines].join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
    this.file = file
  }
}

/** A value for a message: short, and without secrets. `tree` is what was written, before references were resolved. */
function foundText(model: Node, tree: unknown, path: Path): string {
  const value = valueAt(tree, path)
  if (value === undefined) return 'nothing'
  if (isObject(value)) return 'an object'
  if (Array.isArray(value)) return `a list of ${value.length}`
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  const reference = /^\$\{(env|file):[^}]*\}$/.test(text)
  if (kindAt(model, path).secret === true && !reference) return 'a value that is not shown'
  const visible = text.replace(/^.*@/s, '***@') // what stands before an @ may be a url's user name and password
  return typeof value === 'string' ? quoted(visible) : shortened(visible)
}

const shortened = (text: string) => (text.length > 60 ? `${text.slice(0, 60)}...` : text)
const quoted = (text: string) => JSON.stringify(shortened(text))

/** The expectation for zod's own complaints; those of our kinds of values bring their own. */
export function expectation(issue: z.core.$ZodRawIssue): string {
  if (issue.code === 'invalid_type') {
    if (issue.expected === 'object' || issue.expected === 'record') return 'an object { ... }'
    if (issue.expected === 'array') return 'a list [ ... ]'
    return issue.expected === 'string' ? 'a text' : `a ${issue.expected}`
  }
  return issue.code === 'unrecognized_keys' ? 'no such key' : 'another value'
}

interface Finding {
  readonly path: Path
  readonly expected: string
  /** where the key is wrong, not its value: it is unknown, or not allowed in this place */
  readonly key?: 'unknown' | 'impossible'
}

const pathOf = (path: readonly PropertyKey[]): Path =>
  path.map((part) => (typeof part === 'number' ? part : String(part)))

// Of the alternatives of a union, the one that got beyond the outer type is the one that was meant.
function findings(issue: z.core.$ZodIssue, above: Path = []): Finding[] {
  const path = [...above, ...pathOf(issue.path)]
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], expected: issue.message, key: 'unknown' }))
  }
  if (issue.code === 'invalid_union') {
    const meant = issue.errors.find((errors) =>
      errors.some((e) => e.path.length > 0 || e.code === 'unrecognized_keys'),
    )
    if (meant !== undefined) return meant.flatMap((inner) => findings(inner, path))
  }
  if (issue.code === 'invalid_key') {
    return [{ path, expected: issue.issues[0]?.message ?? issue.message, key: 'impossible' }]
  }
  return [{ path, expected: issue.message }]
}

// An unknown key may be misspelt, called as another program calls it, or stand in the wrong section.
function unknownKey(model: Node, path: Path, written: unknown, hints: boolean): Omit<Problem, 'path'> {
  const key = String(path.at(-1))
  const parent = path.slice(0, -1)
  const siblings = keysAt(model, parent).filter((name) => name !== '$schema')
  const same = siblings.find((name) => plainKey(name) === plainKey(key))
  const hint = same === undefined && hints ? foreignKey(path, written) : undefined
  const elsewhere = knownPaths(model).find((known) => known.at(-1) === key || pathText(known) === key)
  return {
    found: 'an unknown key',
    expected: `one of ${siblings.join(', ')}`,
    suggestion:
      same ??
      (hint === undefined ? (nearest(key, siblings) ?? (elsewhere && pathText(elsewhere))) : undefined),
    hint,
  }
}

function foreignKey(path: Path, written: unknown): string | undefined {
  const key = String(path.at(-1))
  const section = sectionOf(path.slice(0, -1))
  if (/^\w+(\.\w+)+$/.test(key))
    return `write ${key
      .split('.')
      .map((part) => `"${part}": `)
      .join('{ ')}... ${'}'.repeat(key.split('.').length - 1)}`
  const hint = foreignKeyHint(section, key)
  // the url that stands for a host and a port written apart, with what is there
  return (hint && urlOfParts(section, valueAt(written, path.slice(0, -1)), key)) ?? hint
}

const keysAt = (model: Node, path: Path): string[] => [
  ...new Set(
    nodesAt(model, path)
      .flatMap(alternatives)
      .flatMap((node) => Object.keys(node.properties ?? {})),
  ),
]

/** A path without positions. */
const sectionOf = (path: Path): string => path.filter((part) => typeof part === 'string').join('.')

const wordsAt = (model: Node, path: Path): string[] =>
  nodesAt(model, path)
    .flatMap((node) => [...(node.enum ?? []), node.const])
    .filter((one) => typeof one === 'string')

/** What was probably meant by a value. Nothing is told of secrets, of references, and of urls with user information. */
function valueHint(model: Node, path: Path, written: unknown, expected: string): string | undefined {
  const value = valueAt(written, path)
  if (value === undefined || (typeof value === 'string' && value.includes('${'))) return undefined
  if (typeof value === 'string' && value.includes('@')) return schemeHint(value)
  const { kind = '', secret } = kindAt(model, path)
  if (secret && value !== null) return typeof value === 'string' ? undefined : 'write it in quotes'
  const keys = keysAt(model, path)
  return likelyValueHint(value, {
    types: typesOf(nodesAt(model, path)),
    words: wordsAt(model, path),
    kind,
    keys,
    keyOf: (word) => keys.find((key) => wordsAt(model, [...path, key]).includes(word)),
    section: sectionOf(path),
    expected,
  })
}

/** A problem that still knows its path as a list. */
export interface Located extends Problem {
  readonly at: Path
}

/** zod's issues as problems, one per path. `hints`: keys of other programs than a gateway are known. */
export function problemsOf(
  issues: readonly z.core.$ZodIssue[],
  model: Node,
  written: unknown,
  hints = true,
): Located[] {
  const problems = new Map<string, Located>()
  for (const { path, expected, key } of issues.flatMap((issue) => findings(issue))) {
    const text = pathText(path)
    if (problems.has(text)) continue
    const found =
      key === undefined ? foundText(model, written, path) : `the key ${quoted(String(path.at(-1)))}`
    const facts =
      key === 'unknown'
        ? unknownKey(model, path, written, hints)
        : { found, expected, hint: key === undefined ? valueHint(model, path, written, expected) : undefined }
    problems.set(text, { at: path, path: text, ...facts })
  }
  return [...problems.values()]
}
