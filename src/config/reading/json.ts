// Reads JSON, in which comments and commas before a closing bracket are allowed. Remembers where everything stands, so that a
// complaint can name line and column. Pure.

import { createScanner, type JSONVisitor, printParseErrorCode, visit } from 'jsonc-parser'
import type { Path } from './path.ts'
import { DEEPEST, foundAt, Places, placeAt, SyntaxProblem, type Written } from './written.ts'

/** An object or list that is not closed yet. */
interface Open {
  readonly path: Path
  readonly content: Record<string, unknown> | unknown[]
  key: string | undefined
  /** what may come next: the first or a further entry, the colon of a key, its value, what parts entries */
  next: 'entry' | 'colon' | 'value' | 'end'
}

const IN_TEXT: ReadonlyMap<string, string> = new Map([
  ['UnexpectedEndOfString', 'a text that ends on its line'],
  ['UnexpectedEndOfComment', 'a comment that ends with "*/"'],
  ['InvalidEscapeCharacter', 'a text in which "\\" is written "\\\\"'],
  ['InvalidUnicode', 'four hexadecimal digits behind "\\u"'],
  ['InvalidCharacter', 'a text without control characters (a tab is "\\t")'],
])

class Builder {
  value: unknown
  readonly places: Places
  readonly #text: string
  readonly #open: Open[] = []
  #done = false

  constructor(text: string) {
    this.#text = text
    this.places = new Places(text)
  }

  readonly visitor: JSONVisitor = {
    onObjectBegin: (offset) => this.#begin({}, offset),
    onArrayBegin: (offset) => this.#begin([], offset),
    onObjectEnd: () => this.#end(),
    onArrayEnd: () => this.#end(),
    onLiteralValue: (value: unknown, offset) => void this.#take(value, offset),
    onObjectProperty: (key, offset) => {
      const open = this.#open.at(-1)
      if (open === undefined) return
      if (key === '__proto__') throw problem(this.#text, offset, 'another key')
      open.key = key
      open.next = 'colon'
      this.places.note([...open.path, key], offset)
    },
    onSeparator: (character) => {
      const open = this.#open.at(-1)
      if (open !== undefined) open.next = character === ':' ? 'value' : 'entry'
    },
    onError: (code, offset) => {
      throw problem(this.#text, offset, IN_TEXT.get(printParseErrorCode(code)) ?? this.#expected())
    },
  }

  #begin(content: Record<string, unknown> | unknown[], offset: number): void {
    this.#open.push({ path: this.#take(content, offset), content, key: undefined, next: 'entry' })
  }

  #end(): void {
    this.#open.pop()
  }

  /** Puts a value where it belongs; returns its path. */
  #take(value: unknown, offset: number): Path {
    const open = this.#open.at(-1)
    if (open === undefined) {
      this.value = value
      this.#done = true
      return []
    }
    const { content, key } = open
    open.next = 'end'
    if (Array.isArray(content)) {
      const path = [...open.path, content.length]
      this.places.note(path, offset)
      content.push(value)
      return path
    }
    const path = [...open.path, key ?? '']
    this.places.put(content, path, value)
    return path
  }

  #expected(): string {
    const open = this.#open.at(-1)
    if (open === undefined) return this.#done ? 'nothing more' : 'a value'
    if (open.next === 'colon') return '":"'
    if (open.next === 'end') return Array.isArray(open.content) ? '"," or "]"' : '"," or "}"'
    return open.next === 'entry' && !Array.isArray(open.content) ? 'a key in double quotes' : 'a value'
  }
}

function problem(text: string, offset: number, expected: string): SyntaxProblem {
  const found = foundAt(text, offset)
  const hint = found === '"#"' ? '; comments begin with "//"' : found === `"'"` ? '; in double quotes' : ''
  return new SyntaxProblem(found, `${expected}${hint}`, placeAt(text, offset))
}

/** The parser calls itself for each level, so that levels are counted before it runs. */
function insistOnDepth(text: string): void {
  const scanner = createScanner(text, true)
  let depth = 0
  while (scanner.getPosition() < text.length) {
    scanner.scan()
    if (scanner.getTokenError() > 0) return // the parser says what is wrong
    const token = scanner.getTokenLength() === 1 ? text.charAt(scanner.getTokenOffset()) : ''
    if (token === '}' || token === ']') depth--
    else if (token === '{' || token === '[') depth++
    if (depth > DEEPEST) throw problem(text, scanner.getTokenOffset(), `at most ${DEEPEST} levels`)
  }
}

/** Reads JSON (RFC 8259, a byte order mark is skipped) with comments; throws `SyntaxProblem`. */
export function readJson(source: string): Written {
  const text = source.replace(/^\uFEFF/, '')
  insistOnDepth(text)
  const builder = new Builder(text)
  visit(text, builder.visitor, { allowTrailingComma: true, disallowComments: false })
  return builder.places.written(builder.value)
}
