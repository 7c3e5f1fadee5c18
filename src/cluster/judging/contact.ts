// How long a node may go on without the engine, from what others say of it: nobody can take its slots who has not had the engine for a
// whole lease. Pure: time is an argument.

import { EARLY } from './lease.ts'

/** What one of them has said. */
interface Heard {
  readonly askedAt: number
  /** it judges others by nothing that is older than this; monotonic milliseconds of this node, rather too early than too late */
  readonly since: number
  readonly hasEngine: boolean
}

/** Those of whom it depends, by their names. */
export interface Company {
  /** to whom there are links */
  readonly linked: readonly string[]
  /** the members that lived by the last look, this node among them */
  readonly living: readonly string[]
}

/** What was said since the engine has answered this node for the last time. One object for the life of a node. */
export class Contact {
  readonly #lease: number
  readonly #heard = new Map<string, Heard>()

  /** `lease`: milliseconds */
  constructor(lease: number) {
    this.#lease = lease
  }

  /**
   * A node that was asked then has said for how long the engine has answered it, in milliseconds; null: it does not answer. The answer may
   * have been under way for any time: it is counted from the question.
   */
  note(node: string, askedAt: number, age: number | null): void {
    const before = this.#heard.get(node)
    if (before !== undefined && before.askedAt > askedAt) return
    this.#heard.set(node, { askedAt, since: askedAt - (age ?? 0), hasEngine: age !== null })
  }

  /** The engine has answered this node itself. */
  clear(): void {
    this.#heard.clear()
  }

  /**
   * Until when it may serve, whatever its own lease says: -Infinity if it is linked to less than a majority of those who lived, itself
   * counted, or if one to whom it is linked has said nothing. One that had the engine and is not linked any more may have it still.
   */
  until({ linked, living }: Company, now: number): number {
    const others = linked.filter((node) => living.includes(node))
    if (2 * (others.length + 1) <= living.length) return Number.NEGATIVE_INFINITY
    let since = now
    for (const node of linked)
      since = Math.min(since, this.#heard.get(node)?.since ?? Number.NEGATIVE_INFINITY)
    for (const { since: theirs, hasEngine } of this.#heard.values())
      if (hasEngine) since = Math.min(since, theirs)
    return since + this.#lease - EARLY
  }
}
