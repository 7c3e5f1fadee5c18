// Reads HOCON as far as EMQX's configuration uses it, into settings with their lines. Pure. JSON is a part of it.

import { ImportError, type Setting, type SourceFile } from '../settings.ts'

/** What was read: every plain value with its path, later ones of a path behind earlier ones; and what was left aside. */
export interface HoconText {
  readonly settings: Setting[]
  /** elements of lists that later lists replace */
  readonly replaced: Setting[]
  /** files that are included, which are not read */
  readonly includes: { readonly name: string; readonly place: string }[]
}

const DEEPEST = 64
/** Characters that end a text without quotes. */
const WORD = /[^\s"{}[\]:=,#\n\\]+/y
const LINE_END = /\r?\n/y

class HoconReader {
  readonly settings: Setting[]
  readonly replaced: Setting[] = []
  readonly includes: { name: string; place: string }[] = []
  readonly #text: string
  readonly #name: string
  #at = 0

  constructor({ name, text }: SourceFile, earlier: readonly Setting[]) {
    this.settings = [...earlier]
    this.#text = text.replace(/^\uFEFF/, '')
    this.#name = name
  }

  read(): HoconText {
    this.#skip()
    const braced = this.#mark('{')
    this.#members('', braced ? '}' : '', 0)
    this.#skip()
    if (this.#at < this.#text.length) this.#fail('nothing more')
    return { settings: this.settings, replaced: this.replaced, includes: this.includes }
  }

  get #place(): string {
    return `${this.#name}:${this.#text.slice(0, this.#at).split('\n').length}`
  }

  #fail(expected: string): never {
    throw new ImportError(`${this.#place}: expected ${expected}`)
  }

  /** White space, line ends and comments. */
  #skip(lineEnds = true): void {
    const pattern = lineEnds ? /(?:\s|(?:#|\/\/)[^\n]*)+/y : /(?:[^\S\n]|(?:#|\/\/)[^\n]*)+/y
    pattern.lastIndex = this.#at
    this.#at += pattern.exec(this.#text)?.[0].length ?? 0
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    this.#at += found?.length ?? 0
    return found
  }

  #mark(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  /** A text in quotes, undefined if none stands here. */
  #quoted(): string | undefined {
    if (this.#mark('"""')) {
      const end = this.#text.indexOf('"""', this.#at)
      if (end < 0) this.#fail('""" at the end of the text')
      const text = this.#text.slice(this.#at, end)
      this.#at = end + 3
      // """~ ... ~""" is EMQX's own: such a text may be indented
      return text.startsWith('~') ? text.replace(/^~\r?\n?|~$/g, '').replace(/^[ \t]+/gm, '') : text
    }
    const token = this.#take(/"(?:[^"\\\n]|\\.)*"/y)
    if (token === undefined) return undefined
    try {
      return JSON.parse(token)
    } catch {
      return token.slice(1, -1)
    }
  }

  /** The name of a member: parts divided by dots, in quotes or not. */
  #key(): string {
    const parts: string[] = []
    do {
      const part = this.#quoted() ?? this.#take(/[^\s"{}[\]:=,#.]+/y)
      if (part === undefined) this.#fail('a name')
      // a dot inside quotes does not divide: it gets another sign
      parts.push(part.replaceAll('.', '\u2024'))
    } while (this.#mark('.'))
    return parts.join('.')
  }

  #members(path: string, end: string, depth: number): void {
    if (depth > DEEPEST) this.#fail(`at most ${DEEPEST} levels`)
    for (;;) {
      this.#skip()
      if (this.#mark(',')) continue
      if (end !== '' && this.#mark(end)) return
      if (this.#at >= this.#text.length) return end === '' ? undefined : this.#fail(`"${end}"`)
      const place = this.#place
      if (this.#take(/include(?=[\s("])/y)) {
        const name = /[^\n]*/.exec(this.#text.slice(this.#at))?.[0] ?? ''
        this.#at += name.length
        this.includes.push({
          name: name.replace(/^[\s(]*(?:required|file|url)?[\s("]*|["\s)]*$/g, ''),
          place,
        })
        continue
      }
      const key = this.#key()
      this.#skip(false)
      if (!this.#mark('+=') && !this.#mark('=') && !this.#mark(':') && this.#text[this.#at] !== '{')
        this.#fail('"=", ":" or "{"')
      this.#value(path === '' ? key : `${path}.${key}`, depth)
    }
  }

  #value(path: string, depth: number): void {
    this.#skip()
    const place = this.#place
    if (this.#mark('{')) {
      this.#members(path, '}', depth + 1)
      this.#skip(false)
      // an object behind an object is merged with it
      if (this.#text[this.#at] === '{') this.#value(path, depth)
      return
    }
    if (this.#mark('[')) {
      // a list replaces what stood there before
      const isOld = ({ key }: Setting) => key.startsWith(`${path}.`)
      this.replaced.push(...this.settings.filter(isOld))
      this.settings.splice(0, this.settings.length, ...this.settings.filter((setting) => !isOld(setting)))
      this.#elements(path, depth + 1)
      return
    }
    this.settings.push({ key: path, value: this.#plain(), place })
  }

  #elements(path: string, depth: number): void {
    if (depth > DEEPEST) this.#fail(`at most ${DEEPEST} levels`)
    for (let i = 0; ; ) {
      this.#skip()
      if (this.#mark(',')) continue
      if (this.#mark(']')) return
      if (this.#at >= this.#text.length) this.#fail('"]"')
      this.#value(`${path}.${i++}`, depth)
    }
  }

  /** A plain value: texts, words and `${variables}` up to the end of the line, put together. */
  #plain(): string {
    let value = ''
    for (;;) {
      const start = this.#at
      const space = this.#take(/[^\S\n]+/y) ?? ''
      const rest = this.#text.slice(this.#at, this.#at + 2)
      if (rest === '' || /^(?:[,}\]#\n]|\/\/)/.test(rest) || this.#peek(LINE_END)) {
        this.#at = start
        break
      }
      // `:` and `=` may stand in a value: 0.0.0.0:1884
      const next = this.#quoted() ?? this.#take(/\$\{[^}\n]*\}/y) ?? this.#take(WORD) ?? this.#take(/[:=\\]/y)
      if (next === undefined) this.#fail('a value')
      value += (value === '' ? '' : space) + next
    }
    if (value === '' && this.#text[this.#at - 1] !== '"') this.#fail('a value')
    return value
  }

  #peek(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at
    return pattern.test(this.#text)
  }
}

/**
 * Reads a file behind what earlier files gave; throws `ImportError` with the line where reading had to stop. A dot inside a name in quotes becomes `\u2024`, since
 * dots divide names.
 */
export const readHocon = (file: SourceFile, earlier: readonly Setting[] = []): HoconText =>
  new HoconReader(file, earlier).read()
