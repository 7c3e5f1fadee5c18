// `${env:NAME}` and `${file:path}` in any text of the configuration. What they stand for is secret wherever it stands.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these references are resolved here

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { resolve } from 'node:path'
import { kindAt, type Node } from '../model.ts'
import { DOLLAR, escapeTemplate, PLACEHOLDER } from '../sections/template.ts'
import type { Kind } from '../sections/values.ts'
import { isObject, type Path, pathText } from './path.ts'
import type { Located } from './problems.ts'

/** Octets of the largest file that may be referred to. */
export const MAX_FILE = 1024 * 1024

/** There is no file of this name. */
export class MissingFile extends Error {
  constructor() {
    super('the file does not exist')
  }
}

/** A file as UTF-8 text; throws an error whose message tells why not, and nothing of the content. */
export function readText(file: string, max: number): string {
  let handle: number
  try {
    handle = openSync(file, 'r')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    throw code === 'ENOENT' ? new MissingFile() : new Error(`the file cannot be opened (${code})`)
  }
  try {
    if (!fstatSync(handle).isFile()) throw new Error('this is not a regular file')
    const bytes = Buffer.alloc(max + 1)
    let length = 0
    for (let got = -1; got !== 0 && length <= max; length += got)
      got = readSync(handle, bytes, length, max + 1 - length, null)
    if (length > max) throw new Error(`the file has more than ${max} octets`)
    return decode(bytes.subarray(0, length))
  } finally {
    closeSync(handle)
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Error('the file is not UTF-8 text')
  }
}

/** What resolving needs to know. */
export interface Sources {
  readonly env: Readonly<Record<string, string | undefined>>
  /** directory that relative paths start from */
  readonly directory: string
  readonly model: Node
}

/** The tree with references resolved, and what happened on the way. */
export interface Resolved {
  readonly tree: unknown
  /** paths of the texts that hold something resolved */
  readonly referenced: string[]
  readonly problems: Located[]
}

class Unresolved extends Error {}

function fetch(reference: string, sources: Sources, { template = [], secret }: Kind): string {
  const [, source, name = ''] = /^(env|file):(.+)$/s.exec(reference) ?? []
  if (source === 'env') {
    const value = sources.env[name]
    if (value === undefined) throw new Unresolved(`the environment variable ${name}, which is not set`)
    return value
  }
  if (source === 'file') {
    try {
      return readText(resolve(sources.directory, name), MAX_FILE).replace(/\r?\n$/, '')
    } catch (error) {
      throw new Unresolved(`\${file:${name}}: ${error instanceof Error ? error.message : 'unreadable'}`)
    }
  }
  const known = [...template, 'env:NAME', 'file:path'].map((variable) => `\${${variable}}`).join(', ')
  throw new Unresolved(`the unknown variable \${${secret ? '...' : reference}}; known here: ${known}`)
}

/** Resolves all references of a tree; those that cannot be are problems, and their texts are left out of the result. */
export function resolveReferences(written: unknown, sources: Sources): Resolved {
  const referenced: string[] = []
  const problems: Located[] = []

  const text = (value: string, path: Path): string | undefined => {
    if (!value.includes('${')) return value
    const kind = kindAt(sources.model, path)
    const allowed = kind.template
    let complete = true
    const result = value.replace(PLACEHOLDER, (whole, name: string | undefined, end: string | undefined) => {
      if (name === undefined) return allowed ? whole : '${'
      try {
        if (end !== '}') throw new Unresolved('"${" without "}"; a plain "${" is written "$${"')
        if (name === DOLLAR) return allowed ? whole : '$'
        if (allowed?.some((variable) => variable === name)) return whole
        const content = fetch(name, sources, kind)
        referenced.push(pathText(path))
        return allowed ? escapeTemplate(content) : content
      } catch (error) {
        if (!(error instanceof Unresolved)) throw error
        complete = false
        const expected = 'references that can be resolved'
        problems.push({ at: path, path: pathText(path), found: error.message, expected })
        return ''
      }
    })
    return complete ? result : undefined
  }

  const walk = (value: unknown, path: Path): unknown => {
    if (typeof value === 'string') return text(value, path)
    if (Array.isArray(value)) return value.map((element, i) => walk(element, [...path, i]))
    if (!isObject(value)) return value
    const entries = Object.entries(value).map(([key, inner]) => [key, walk(inner, [...path, key])] as const)
    return Object.fromEntries(entries.filter(([, inner]) => inner !== undefined))
  }
  return { tree: walk(written, []), referenced, problems }
}
