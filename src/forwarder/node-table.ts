// Nodes that were heard, and where: the only state of a forwarder. Those that are silent longest make room for others.

import type { NodeRemote } from './effects.ts'

/** A node. */
export interface KnownNode {
  link: number
  remote: NodeRemote
  /** when it was put at the end of the table */
  listedAt: number
}

/** Nodes that are remembered. */
export const MOST_NODES = 10_000
/** The order in the table is no more exact than that, milliseconds. */
const EXACTNESS = 1000

export class NodeTable {
  readonly #nodes = new Map<string, KnownNode>()
  readonly #most: number

  constructor(most = MOST_NODES) {
    this.#most = most
  }

  get size(): number {
    return this.#nodes.size
  }

  find(key: string): KnownNode | undefined {
    return this.#nodes.get(key)
  }

  /** A node was heard there: what goes to it goes there from now on. */
  note(key: string, link: number, remote: NodeRemote, now: number): void {
    const known = this.#nodes.get(key)
    if (known !== undefined) {
      known.link = link
      known.remote = remote
      if (now - known.listedAt < EXACTNESS) return
      known.listedAt = now
      this.#nodes.delete(key)
      this.#nodes.set(key, known)
      return
    }
    if (this.#nodes.size >= this.#most) {
      const [oldest] = this.#nodes.keys()
      if (oldest !== undefined) this.#nodes.delete(oldest)
    }
    this.#nodes.set(key, { link, remote, listedAt: now })
  }
}
