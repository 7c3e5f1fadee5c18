// Comments in the configuration: JSON has none, so every object may hold a key "$comment", which the gateway ignores.

import { isObject } from './path.ts'

/** The key. JSON Schema uses the same for the same. */
export const COMMENT = '$comment'

/** The tree without comments. */
export function withoutComments(tree: unknown): unknown {
  if (Array.isArray(tree)) return tree.map(withoutComments)
  if (!isObject(tree)) return tree
  return Object.fromEntries(
    Object.entries(tree)
      .filter(([key]) => key !== COMMENT)
      .map(([key, value]) => [key, withoutComments(value)]),
  )
}
