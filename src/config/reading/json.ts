// Reads JSON and remembers where everything stands, so that a complaint can name line and column. Pure.

import { type Path, pathText } from './path.ts'

/** A place in a text; both count from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** Text that is not JSON; `place` is where reading had to stop. */
export class JsonError extends Error {
  readonly found: string
  readonly expected: string
  readonly place: Place

  constructor(found: string, expected: string, place: Place) {
    super(`found ${found}, expected ${expected}`)
    this.name = 'JsonError'
    this.found = found
    this.expected = expected
    this.place = place
  }
}

/** What `readJson` gives: the value, and the paths that occur more than once. */
export interface JsonText {
  readonly value: unknown
  readonly repeated: readonly Path[]
  /** where the key or list element at a path (as `pathText` writes it) begins */
  placeOf(path: string): Place | undefined
}

const DEEPEST = 32
const WORD = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these inside a string
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const SPACE = /[ \t\r\n]*/y

function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, offset)
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') }
}

class Reader {
  readonly text: string
  readonly offsets = new Map<string, number>()
  readonly repeated: Path[] = []
  at = 0

  constructor(text: string) {
    this.text = text
  }

  // Names no more than one character of what stands there: it may be part of a secret that lost its quotes.
  fail(expected: string): never {
    const next = /^(?:\/[/*]|.)/su.exec(this.text.slice(this.at, this.at + 2))?.[0]
    const found = next === undefined ? 'the end of the file' : JSON.stringify(next)
    const hint =
      next === '//' || next === '/*' || next === '#'
        ? '; JSON has no comments, but any object may have a key "$comment"'
        : ''
    throw new JsonError(found, `${expected}${hint}`, placeAt(this.text, this.at))
  }

  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0]
    if (found !== undefined) this.at += found.length
    return found
  }

  /** Takes one character if it comes next, and the white space behind it. */
  mark(character: string): boolean {
    if (this.text[this.at] !== character) return false
    this.at++
    this.take(SPACE)
    return true
  }

  value(path: Path): unknown {
    if (path.length > DEEPEST) this.fail(`at most ${DEEPEST} levels`)
    this.offsets.set(pathText(path), this.at)
    if (this.mark('{')) return this.object(path)
    if (this.mark('[')) return this.list(path)
    const token = this.take(STRING) ?? this.take(WORD)
    if (token === undefined)
      this.fail(this.text[this.at] === '"' ? 'a text that ends on its line' : 'a value')
    this.take(SPACE)
    return JSON.parse(token)
  }

  object(path: Path): Record<string, unknown> {
    const object: Record<string, unknown> = {}
    if (this.mark('}')) return object
    do {
      const start = this.at
      const token = this.take(STRING)
      if (token === undefined) this.fail('a key in double quotes')
      const key: string = JSON.parse(token)
      const inner = [...path, key]
      if (key === '__proto__') {
        this.at = start
        this.fail('another key')
      }
      this.take(SPACE)
      if (!this.mark(':')) this.fail('":"')
      if (Object.hasOwn(object, key)) this.repeated.push(inner)
      object[key] = this.value(inner)
      this.offsets.set(pathText(inner), start)
    } while (this.mark(','))
    if (!this.mark('}')) this.fail('"," or "}"')
    return object
  }

  list(path: Path): unknown[] {
    const list: unknown[] = []
    if (this.mark(']')) return list
    do list.push(this.value([...path, list.length]))
    while (this.mark(','))
    if (!this.mark(']')) this.fail('"," or "]"')
    return list
  }
}

/** Reads a JSON document (RFC 8259, a byte order mark is skipped); throws `JsonError`. */
export function readJson(source: string): JsonText {
  const text = source.replace(/^\uFEFF/, '')
  const reader = new Reader(text)
  reader.take(SPACE)
  const value = reader.value([])
  if (reader.at < text.length) reader.fail('nothing more')
  const placeOf = (path: string) => {
    const offset = reader.offsets.get(path)
    return offset === undefined ? undefined : placeAt(text, offset)
  }
  return { value, repeated: reader.repeated, placeOf }
}
