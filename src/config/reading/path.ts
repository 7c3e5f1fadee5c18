// Paths into the configuration: `['listeners', 0, 'url']` is written `listeners[0].url`. Pure.

/** Keys and list positions from the root down. */
export type Path = readonly (string | number)[]

/** How a path is written for people. */
export function pathText(path: Path): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (!/^[\w$-]+$/.test(part)) text += `[${JSON.stringify(part)}]`
    else text += text === '' ? part : `.${part}`
  }
  return text
}

/** A JSON object, as opposed to a list or a plain value. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What stands at a path, undefined if there is nothing. */
export function valueAt(tree: unknown, path: Path): unknown {
  let value = tree
  for (const part of path) {
    if (Array.isArray(value) && typeof part === 'number') value = value[part]
    else if (isObject(value) && typeof part === 'string' && Object.hasOwn(value, part)) value = value[part]
    else return undefined
  }
  return value
}

/** A copy of the tree without what stands at the path; lists keep no gaps, so an element takes its list along. */
export function withoutPath(tree: unknown, path: Path): unknown {
  const [part, ...rest] = path
  if (part === undefined) return {}
  if (isObject(tree)) {
    const inner =
      rest.length === 0 || (typeof rest[0] === 'number' && rest.length === 1)
        ? undefined
        : withoutPath(tree[String(part)], rest)
    const { [String(part)]: _, ...others } = tree
    return inner === undefined ? others : { ...others, [String(part)]: inner }
  }
  if (Array.isArray(tree))
    return tree.map((element, i) => (i === part ? withoutPath(element, rest) : element))
  return tree
}
