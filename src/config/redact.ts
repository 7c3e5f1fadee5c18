// The effective configuration for people to see: as it would be written in the file, without secrets.

import { z } from 'zod'
import { configModel, kindAt, type Node } from './model.ts'
import { isObject, type Path, pathText } from './reading/path.ts'
import { type Config, configSchema, REFERENCED } from './schema.ts'

const HIDDEN = '***'

/**
 * The configuration as a tree for display: passwords, keys, certificates, user information in urls, and everything that
 * came from `${env:...}` or `${file:...}` are "***"; durations and sizes are written with units, as in the file.
 */
export function redacted(config: Config): Record<string, unknown> {
  const referenced = new Set(config[REFERENCED] ?? [])
  const model = configModel()
  const tree = hide(z.encode(configSchema, config), [], model, referenced)
  return isObject(tree) ? tree : {}
}

function hide(value: unknown, path: Path, model: Node, referenced: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((element, i) => hide(element, [...path, i], model, referenced))
  if (isObject(value)) {
    const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
    return Object.fromEntries(
      entries.map(([key, inner]) => [key, hide(inner, [...path, key], model, referenced)]),
    )
  }
  if (value === '' || value === undefined) return value
  if (referenced.has(pathText(path)) || kindAt(model, path).secret) return HIDDEN
  return typeof value === 'string' ? value.replace(/:\/\/[^/?#\s]*@/, '://***@') : value
}
