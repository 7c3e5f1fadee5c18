// The schema seen as data: its JSON Schema, walked by path, for environment variables, references, hints and documents.

import { z } from 'zod'
import type { Path } from './reading/path.ts'
import { configSchema } from './schema.ts'
import type { Kind } from './sections/values.ts'

/** The part of JSON Schema that the configuration uses. */
export interface Node {
  type?: string | string[]
  description?: string
  default?: unknown
  examples?: unknown[]
  enum?: unknown[]
  const?: unknown
  minimum?: number
  maximum?: number
  properties?: Record<string, Node>
  additionalProperties?: boolean | Node
  items?: Node
  anyOf?: Node[]
  required?: string[]
  'x-mqttsn'?: Kind
}

/** A schema as JSON Schema (draft 7, what may be written), with our own keyword still in it. */
export const modelOf = (schema: z.ZodType): Node =>
  z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }) as Node

/** That of the configuration. */
export const configModel = (): Node => modelOf(configSchema)

/** The node itself, or what it may be instead. */
export const alternatives = (node: Node): Node[] =>
  node.anyOf ? [node, ...node.anyOf.flatMap(alternatives)] : [node]

/** The nodes one step below, for a key or a list position. */
function below(nodes: readonly Node[], part: string | number): Node[] {
  return nodes.flatMap(alternatives).flatMap((node) => {
    if (typeof part === 'number') return node.items ?? []
    const { properties = {}, additionalProperties: rest } = node
    return (
      (Object.hasOwn(properties, part) ? properties[part] : typeof rest === 'object' ? rest : undefined) ?? []
    )
  })
}

/** All nodes that describe the value at a path; none for an unknown path. */
export const nodesAt = (model: Node, path: Path): Node[] =>
  path.reduce<Node[]>((nodes, part) => below(nodes, part), [model]).flatMap(alternatives)

/** What is known of the value at a path beyond its type. */
export const kindAt = (model: Node, path: Path): Kind =>
  Object.assign({}, ...nodesAt(model, path).map((node) => node['x-mqttsn'] ?? {}))

/** The JSON types that a value at these nodes may have. */
export const typesOf = (nodes: readonly Node[]): Set<string> =>
  new Set(nodes.flatMap((node) => node.type ?? []))

/** Every known key, depth first; list elements stand for all as position 0. */
export function knownPaths(model: Node, path: Path = []): Path[] {
  return alternatives(model).flatMap((node) => [
    ...Object.entries(node.properties ?? {}).flatMap(([key, inner]) => {
      const found = [...path, key]
      return [found, ...knownPaths(inner, found)]
    }),
    ...(node.items?.properties ? knownPaths(node.items, [...path, 0]) : []),
  ])
}
