// A configuration of this gateway in the making, out of another's: values, where each came from, and what has no counterpart.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these references are resolved by the gateway

import { statSync } from 'node:fs'
import { isObject, type Path, pathText } from '../../config/reading/path.ts'
import { escapeTemplate } from '../../config/sections/template.ts'
import type { Setting } from './settings.ts'

/** A password or the like: its content goes into the environment or a file of its own, never into the configuration. */
export class Secret {
  /** what the file or the variable is called, such as `broker-password` */
  readonly name: string
  readonly value: string

  constructor(name: string, value: string) {
    this.name = name
    this.value = value
  }
}

/** Something that a reader must know: no counterpart, or another behaviour. Never holds a secret. */
export interface Note {
  readonly place: string
  readonly text: string
}

/** An object of the configuration in the making; the keys are those that importers name. */
export interface Tree {
  [key: string]: unknown
  broker?: unknown
  url?: unknown
  port?: unknown
  allow?: unknown
  deny?: unknown
  from?: unknown
  forwarders?: unknown
  discovery?: unknown
}

/** The draft. */
export class Draft {
  readonly tree: Tree = {}
  readonly notes: Note[] = []
  /** what is said of single objects of the tree */
  readonly comments = new Map<object, string[]>()

  /** Says something that has no place in the configuration. */
  note(from: Pick<Setting, 'place' | 'key'> | string, text: string): void {
    const place = typeof from === 'string' ? from : [from.place, from.key].filter(Boolean).join(' ')
    if (!this.notes.some((note) => note.place === place && note.text === text))
      this.notes.push({ place, text })
  }

  /** Says something about an object of the tree, in it. */
  comment(object: object, text: string): void {
    const said = this.comments.get(object) ?? []
    if (!said.includes(text)) this.comments.set(object, [...said, text])
  }

  /** Writes a value into the tree, and beside it where it came from. */
  set(path: Path, value: unknown, ...from: (Setting | undefined)[]): void {
    const object = objectAt(this.tree, path.slice(0, -1))
    const key = String(path.at(-1))
    object[key] = value
    const origins = from.flatMap((one) => (one ? `${one.key} (${one.place})` : []))
    if (origins.length > 0) this.comment(object, `${key}: ${origins.join(', ')}`)
  }

  /** A text that may hold variables in this configuration, but none in the other one. */
  setText(path: Path, from: Setting): void {
    this.set(path, escapeTemplate(from.value), from)
  }

  /** A whole number; what is none is left out and said. */
  setWhole(path: Path, from: Setting | undefined): void {
    const number = from && this.wholeOf(from)
    if (number !== undefined) this.set(path, number, from)
  }

  wholeOf(from: Setting): number | undefined {
    if (/^\d{1,10}$/.test(from.value)) return Number(from.value)
    this.note(from, 'is no whole number; left out')
    return undefined
  }

  /** A reference to a file with a certificate or key, which must be there: the gateway would not start without it. */
  setFile(path: Path, file: string, from: Setting): void {
    if (isFile(file)) this.set(path, `\${file:${file}}`, from)
    else
      this.note(
        from,
        `there is no file ${file} here; once it is, set ${pathText(path)} to "\${file:${file}}"`,
      )
  }

  /** One more entry of a list, which is returned. */
  add(list: string, entry: Tree): Tree {
    const entries = this.tree[list]
    if (Array.isArray(entries)) entries.push(entry)
    else this.tree[list] = [entry]
    return entry
  }

  /** The entries of a list. */
  entries(list: string): readonly Tree[] {
    const entries = this.tree[list]
    return Array.isArray(entries) ? entries.filter(isObject) : []
  }
}

export function isFile(path: string): boolean {
  // the system knows no such name, and Node.js refuses to ask
  if (path.includes('\0')) return false
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}

function objectAt(tree: Tree, path: Path): Tree {
  let object = tree
  for (const part of path) {
    const inner = Array.isArray(object) ? (object as unknown[])[Number(part)] : object[String(part)]
    if (isObject(inner) || Array.isArray(inner)) object = inner as Tree
    else {
      const made: Tree = {}
      object[String(part)] = made
      object = made
    }
  }
  return object
}

/** A note for whatever is left over of the other configuration; values are not shown, they may be secret. */
export function noteLeftovers(draft: Draft, left: readonly Setting[], program: string): void {
  for (const setting of left)
    draft.note(setting, `is not known as a setting of ${program}; it has no effect here`)
}

/** A pattern that fits this ClientId. Wildcards cannot be escaped: `?` is the nearest to a `*` that stands for itself. */
export function patternOf(id: string, place: string, draft: Draft): string {
  if (!/[*?]/.test(id)) return id
  const pattern = id.replaceAll('*', '?')
  draft.note(place, `"${pattern}" fits other ClientIds than ${id} as well: * and ? are wildcards here`)
  return pattern
}
