// Filters by their levels: finds those that match a topic, and those that could match the same topic as another one. Pure.

interface Node<T> {
  below: Map<string, Node<T>> | undefined
  /** what ends here: a filter, and shared subscriptions to it */
  values: T[] | undefined
}

const createNode = <T>(): Node<T> => ({ below: undefined, values: undefined })

/** Takes filters as they match: those of shared subscriptions without their group. */
export class FilterTree<T> {
  readonly #root = createNode<T>()

  add(filter: string, value: T): void {
    let node = this.#root
    for (const level of filter.split('/')) {
      node.below ??= new Map()
      let next = node.below.get(level)
      if (next === undefined) {
        next = createNode()
        node.below.set(level, next)
      }
      node = next
    }
    node.values ??= []
    node.values.push(value)
  }

  delete(filter: string, value: T): void {
    const path: [Node<T>, string][] = []
    let node = this.#root
    for (const level of filter.split('/')) {
      const next = node.below?.get(level)
      if (next === undefined) return
      path.push([node, level])
      node = next
    }
    const rest = node.values?.filter((one) => one !== value)
    node.values = rest?.length === 0 ? undefined : rest
    for (const [parent, level] of path.reverse()) {
      const child = parent.below?.get(level)
      if (child?.values !== undefined || child?.below !== undefined) return
      parent.below?.delete(level)
      if (parent.below?.size === 0) parent.below = undefined
    }
  }

  /** All whose filters match this topic name. */
  match(topic: string): T[] {
    const found: T[] = []
    if (this.#root.below !== undefined) collectMatching(this.#root, topic.split('/'), 0, found)
    return found
  }

  /** All whose filters match a name that this one matches too, itself included. */
  overlapping(filter: string): T[] {
    const found: T[] = []
    collectOverlapping(this.#root, filter.split('/'), 0, found)
    return found
  }
}

/** Wildcards do not match a first level that begins with `$`. */
const isHidden = (level: string | undefined, depth: number): boolean =>
  depth === 0 && level?.startsWith('$') === true

function collectMatching<T>(node: Node<T>, levels: readonly string[], depth: number, found: T[]): void {
  const { below } = node
  const level = levels[depth]
  if (level === undefined) {
    take(node, found)
    take(below?.get('#'), found) // `a/#` matches `a` as well
    return
  }
  if (below === undefined) return
  const exact = below.get(level)
  if (exact !== undefined) collectMatching(exact, levels, depth + 1, found)
  if (isHidden(level, depth)) return
  const plus = below.get('+')
  if (plus !== undefined) collectMatching(plus, levels, depth + 1, found)
  take(below.get('#'), found)
}

function collectOverlapping<T>(node: Node<T>, levels: readonly string[], depth: number, found: T[]): void {
  const level = levels[depth]
  const { below } = node
  if (level === undefined) {
    take(node, found)
    take(below?.get('#'), found)
    return
  }
  if (level === '#') return collectBelow(node, depth, found)
  if (below === undefined) return
  if (level === '+') {
    for (const [name, child] of below) {
      if (name === '#') take(child, found)
      else if (!isHidden(name, depth)) collectOverlapping(child, levels, depth + 1, found)
    }
    return
  }
  const exact = below.get(level)
  if (exact !== undefined) collectOverlapping(exact, levels, depth + 1, found)
  if (isHidden(level, depth)) return
  const plus = below.get('+')
  if (plus !== undefined) collectOverlapping(plus, levels, depth + 1, found)
  take(below.get('#'), found)
}

/** What `#` after this node overlaps with: all that begins here, the node itself included. */
function collectBelow<T>(node: Node<T>, depth: number, found: T[]): void {
  if (depth > 0) take(node, found)
  for (const [name, child] of node.below ?? []) {
    if (!isHidden(name, depth)) collectBelow(child, depth + 1, found)
  }
}

function take<T>(node: Node<T> | undefined, found: T[]): void {
  if (node?.values !== undefined) for (const value of node.values) found.push(value)
}
