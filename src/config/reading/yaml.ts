// Reads YAML 1.2, as JSON with less punctuation: plain values, lists and maps with text keys. Anchors are resolved within bounds.

import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'
import type { Path } from './path.ts'
import { DEEPEST, foundAt, Places, placeAt, SyntaxProblem, type Written } from './written.ts'

/** The library, loaded at the first YAML file: most gateways never need it. */
export const loadYaml = (): typeof Yaml => {
  const require = createRequire(import.meta.url)
  return require('yaml') as typeof Yaml
}

/** Values that aliases may stand for in all: a few anchors within each other would fill any memory. */
const MOST_REPEATED = 100_000

/** What was expected where the library stops. Its own words quote what stands there, which may be a secret. */
const EXPECTED: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias without tag and anchor',
  BAD_ALIAS: 'a text in quotes; "*" begins an alias in YAML, so write "*" and "*-1" in quotes',
  BAD_DIRECTIVE: 'no directive',
  BAD_DQ_ESCAPE: 'a text in which "\\" is written "\\\\"',
  BAD_INDENT: 'the indentation of its section, and a closing bracket for each opening one',
  BAD_SCALAR_START: 'a text in quotes, as it begins with a character that YAML keeps for itself',
  BLOCK_AS_IMPLICIT_KEY:
    'one value; a text with ": " in it stands in quotes, and a nested key on a line of its own',
  BLOCK_IN_FLOW: 'no indented lines within brackets',
  IMPOSSIBLE: 'YAML',
  KEY_OVER_1024_CHARS: 'a shorter key',
  MISSING_CHAR: 'a closing quote or bracket, or a blank behind ":" or "-"',
  MULTILINE_IMPLICIT_KEY: '":" behind the key, on its line',
  MULTIPLE_ANCHORS: 'one anchor',
  MULTIPLE_DOCS: 'one document only',
  MULTIPLE_TAGS: 'one tag',
  NON_STRING_KEY: 'a key that is a text',
  RESOURCE_EXHAUSTION: `at most ${DEEPEST} levels`,
  TAB_AS_INDENT: 'blanks, as YAML allows no tabs for indentation',
  TAG_RESOLVE_FAILED: 'no tag; values are texts, numbers, true, false, lists and maps',
  UNEXPECTED_TOKEN: 'the next key, at the indentation of those before it',
}

/** Reads one YAML document; throws `SyntaxProblem`. */
export function readYaml(source: string): Written {
  const text = source.replace(/^\uFEFF/, '')
  const yaml = loadYaml()
  const document = parse(yaml, text)
  const { errors, warnings, directives, contents } = document
  const [first] = [...errors, ...warnings].sort((a, b) => a.pos[0] - b.pos[0])
  if (first !== undefined) throw problem(text, first.pos[0], EXPECTED[first.code] ?? 'YAML')
  if (directives?.yaml.version !== '1.2')
    throw problem(text, 0, 'YAML 1.2, in which "no" and "off" are texts')
  const reader = new Reader(yaml, text, document)
  // a file in which everything is commented out
  const value = contents === null ? {} : reader.read(contents, [], false)
  return reader.places.written(value)
}

/** The parser calls itself for each level, and is stopped by the end of the stack. */
function parse(yaml: typeof Yaml, text: string): Yaml.Document.Parsed {
  try {
    return yaml.parseDocument(text, {
      prettyErrors: false,
      uniqueKeys: false,
      version: '1.2',
      schema: 'core',
      resolveKnownTags: false,
      merge: false,
    })
  } catch (error) {
    if (error instanceof RangeError) throw problem(text, 0, `at most ${DEEPEST} levels`)
    throw error
  }
}

const problem = (text: string, offset: number, expected: string): SyntaxProblem =>
  new SyntaxProblem(foundAt(text, offset), expected, placeAt(text, offset))

class Reader {
  readonly places: Places
  readonly #yaml: typeof Yaml
  readonly #text: string
  readonly #document: Yaml.Document.Parsed
  #repeated = 0

  constructor(yaml: typeof Yaml, text: string, document: Yaml.Document.Parsed) {
    this.#yaml = yaml
    this.#text = text
    this.#document = document
    this.places = new Places(text)
  }

  /** The value of a node; `again`: it is what an alias stands for. */
  read(node: unknown, path: Path, again: boolean): unknown {
    const { isAlias, isMap, isScalar, isSeq } = this.#yaml
    if (path.length > DEEPEST) this.#fail(node, `at most ${DEEPEST} levels`)
    if (again && ++this.#repeated > MOST_REPEATED)
      this.#fail(node, `aliases that stand for at most ${MOST_REPEATED} values`)
    if (isAlias(node)) {
      const target = node.resolve(this.#document)
      return target === undefined
        ? this.#fail(
            node,
            'an anchor "&..." of that name before it; a text that begins with "*" stands in quotes',
          )
        : this.read(target, path, true)
    }
    if (isMap(node)) return this.#map(node, path, again)
    if (isSeq(node)) {
      return node.items.map((item, i) => {
        const inner = [...path, i]
        if (!again) this.places.note(inner, offsetOf(item))
        return this.read(item, inner, again)
      })
    }
    return isScalar(node) ? node.value : null
  }

  #map(node: Yaml.YAMLMap, path: Path, again: boolean): Record<string, unknown> {
    const map: Record<string, unknown> = {}
    for (const { key, value } of node.items) {
      if (!this.#yaml.isScalar(key)) this.#fail(key ?? node, 'a key that is a text')
      // as it is written: 1 is the key "1", and 01 another one
      const name = typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))
      const inner = [...path, name]
      if (name === '__proto__') this.#fail(key, 'another key')
      if (name === '<<') this.#fail(key, 'a key; YAML 1.2 does not merge maps')
      if (!again) this.places.note(inner, offsetOf(key))
      this.places.put(map, inner, this.read(value, inner, again))
    }
    return map
  }

  #fail(node: unknown, expected: string): never {
    throw problem(this.#text, offsetOf(node), expected)
  }
}

const offsetOf = (node: unknown): number => {
  const range: unknown = Object(node).range
  return Array.isArray(range) && typeof range[0] === 'number' ? range[0] : 0
}
