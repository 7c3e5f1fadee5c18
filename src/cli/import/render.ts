// A draft as the text of a configuration file: notes as comments, secrets by reference to the environment or to files.

import { dirname, join } from 'node:path'
import { isObject } from '../../config/reading/path.ts'
import { type Draft, Secret, type Tree } from './draft.ts'

/** Where the content of secrets goes: into variables that the reader sets, or into files in this folder. */
export type SecretPlace =
  | { readonly kind: 'environment' }
  | { readonly kind: 'files'; readonly folder: string }

/** What is to be written. */
export interface Rendered {
  readonly text: string
  /** secrets by name: that of a variable, or of a file */
  readonly secrets: ReadonlyMap<string, string>
}

/** The variable that holds a secret. */
export const variableOf = (name: string): string => name.toUpperCase().replaceAll('-', '_')

const referenceTo = (name: string, place: SecretPlace): string =>
  place.kind === 'environment' ? `\${env:${variableOf(name)}}` : `\${file:${join(place.folder, name)}}`

/** The tree with each secret replaced; `onSecret` learns of them. */
function replaced(
  value: unknown,
  replace: (secret: Secret) => string,
  comments?: Draft['comments'],
): unknown {
  if (value instanceof Secret) return replace(value)
  if (Array.isArray(value)) return value.map((one) => replaced(one, replace, comments))
  if (!isObject(value)) return value
  const said = comments?.get(value)
  const entries = Object.entries(value).map(
    ([key, inner]) => [key, replaced(inner, replace, comments)] as const,
  )
  return Object.fromEntries([
    ...(said === undefined ? [] : [['$comment', said.length === 1 ? said[0] : said] as const]),
    ...entries,
  ])
}

/** The tree as this gateway would load it, and the environment with which it could. */
export function plainTree(draft: Draft): { tree: Tree; env: Record<string, string> } {
  const env: Record<string, string> = {}
  const place = { kind: 'environment' } as const
  const tree = replaced(draft.tree, ({ name, value }) => {
    env[variableOf(name)] = value
    return referenceTo(name, place)
  }) as Tree
  // what the other configuration took from its environment is there when the gateway starts, or the reader was told
  for (const [, name = ''] of JSON.stringify(tree).matchAll(/\$\{env:([^}]+)\}/g))
    env[name] ??= 'unknown here'
  return { tree, env }
}

/** Sections in the order of docs/configuration.md; what a person looks for first comes first. */
const ORDER = [
  'gateway',
  'listeners',
  'broker',
  'sensors',
  'predefined',
  'qosMinusOne',
  'timers',
  'limits',
  'log',
]
const rankOf = (key: string) => ORDER.indexOf(key) + 1 || ORDER.length + 1

/** The text of the file. `title` says what it was made from. */
export function renderDraft(draft: Draft, title: string, place: SecretPlace): Rendered {
  const secrets = new Map<string, string>()
  const tree = replaced(
    draft.tree,
    ({ name, value }) => {
      secrets.set(place.kind === 'environment' ? variableOf(name) : name, value)
      return referenceTo(name, place)
    },
    draft.comments,
  ) as Tree
  const sorted = Object.entries(tree).sort(([a], [b]) => rankOf(a) - rankOf(b))
  const notes = draft.notes.map(({ place: at, text }) => `${at}: ${text}`)
  const head = { $comment: [title, ...notes] }
  return { text: `${JSON.stringify({ ...head, ...Object.fromEntries(sorted) }, null, 2)}\n`, secrets }
}

/** The folder for the secrets of a configuration file, as references in that file name it, and where it is. */
export function secretFolder(output: string): { readonly named: string; readonly path: string } {
  const named = `${output.replace(/^.*[/\\]/, '').replace(/\.json$/, '')}.secrets`
  return { named, path: join(dirname(output), named) }
}
