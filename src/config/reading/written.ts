// What reading a configuration text gives, whatever its syntax: the value, where everything stands, and what is wrong. Pure.

import { type Path, pathText } from './path.ts'

/** A place in a text; both count from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** Text that breaks its syntax; `place` is where reading had to stop. */
export class SyntaxProblem extends Error {
  readonly found: string
  readonly expected: string
  readonly place: Place

  constructor(found: string, expected: string, place: Place) {
    super(`found ${found}, expected ${expected}`)
    this.name = 'SyntaxProblem'
    this.found = found
    this.expected = expected
    this.place = place
  }
}

/** The value of a text, and the paths that occur more than once. */
export interface Written {
  readonly value: unknown
  readonly repeated: readonly Path[]
  /** where the key or list element at a path (as `pathText` writes it) begins */
  placeOf(path: string): Place | undefined
}

/** Nothing is nested deeper. */
export const DEEPEST = 32

/** The place of an offset. */
export function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, offset)
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') }
}

/** What stands at an offset. No more than one character: it may be part of a secret that lost its quotes. */
export function foundAt(text: string, offset: number): string {
  const character = /^./su.exec(text.slice(offset, offset + 2))?.[0]
  return character === undefined ? 'the end of the file' : JSON.stringify(character)
}

/** Collects where things stand while a text is read. */
export class Places {
  readonly repeated: Path[] = []
  readonly #text: string
  readonly #offsets = new Map<string, number>()

  constructor(text: string) {
    this.#text = text
  }

  note(path: Path, offset: number): void {
    this.#offsets.set(pathText(path), offset)
  }

  /** Puts a key into an object. The last of several counts, and all but the first are noted. */
  put(object: Record<string, unknown>, path: Path, value: unknown): void {
    const key = String(path.at(-1))
    if (Object.hasOwn(object, key)) this.repeated.push(path)
    object[key] = value
  }

  written(value: unknown): Written {
    const placeOf = (path: string): Place | undefined => {
      const offset = this.#offsets.get(path)
      return offset === undefined ? undefined : placeAt(this.#text, offset)
    }
    return { value, repeated: this.repeated, placeOf }
  }
}
