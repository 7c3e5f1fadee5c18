// What a sensor says and hears, and what becomes of it, seen live from a node that does not serve it. All nodes are asked, so that nothing
// is missed when the sensor gets another owner: who does not serve it has nothing to tell.

import type { LookAt, SeenKind, SeenOf } from '../../console/nodes.ts'
import { readSeen, readWatchMessage, type WatchMessage, writeSeen } from './watch-messages.ts'

/** Watches of one node: some more than a console has streams, with three for each. */
const MOST_WATCHED = 192
/** What is told of one watch in so many milliseconds; the rest is counted. */
const MOST_TOLD = 500
const TOLD_TIME = 500

/** What watching goes over. */
export interface WatchParts {
  /** false: there is no link */
  send(node: string, message: WatchMessage): boolean
  /** the nodes to which there are links */
  up(): readonly string[]
}

interface Watching {
  readonly kind: SeenKind
  readonly clientId: string
  take(seen: object): void
}

/** What another node wants to see. */
interface Wanted {
  readonly id: number
  readonly kind: SeenKind
  readonly clientId: string
  /** undefined: it is not looked at, while the console is closed */
  end: (() => void) | undefined
  told: number
  toldSince: number
}

/** One for the life of a node. */
export class NodeWatches {
  readonly #parts: WatchParts
  readonly #own = new Map<number, Watching>()
  readonly #wanted = new Map<string, Map<number, Wanted>>()
  #lastId = 0
  #lookAt: LookAt | undefined
  /** what was not told to other nodes, as more happened than they can be told */
  unshown = 0

  constructor(parts: WatchParts) {
    this.#parts = parts
  }

  /** From now on this shows other nodes what they want to see; undefined: they see nothing. */
  serve(lookAt: LookAt | undefined): void {
    this.#lookAt = lookAt
    for (const [node, watches] of this.#wanted) {
      for (const wanted of watches.values()) {
        wanted.end?.()
        this.#begin(node, wanted)
      }
    }
  }

  /** What all other nodes see of a sensor; returns how to end that. */
  readonly watch: LookAt = (kind, clientId, seen) => {
    this.#lastId += 1
    const id = this.#lastId
    const take = (value: object): void => {
      const read = readSeen(kind, clientId, value)
      if (read !== undefined) seen(read as SeenOf[typeof kind])
    }
    const watching = { kind, clientId, take }
    this.#own.set(id, watching)
    for (const node of this.#parts.up()) this.#ask(node, id, watching)
    return () => {
      this.#own.delete(id)
      for (const node of this.#parts.up()) this.#parts.send(node, { type: 'unwatch', id })
    }
  }

  /** There is a link to it now. */
  link(node: string): void {
    for (const [id, watching] of this.#own) this.#ask(node, id, watching)
  }

  /** There is none any more. */
  lose(node: string): void {
    for (const { end } of this.#wanted.get(node)?.values() ?? []) end?.()
    this.#wanted.delete(node)
  }

  /** Takes what a node says; false if that is none of these messages. */
  take(node: string, value: unknown): boolean {
    const message = readWatchMessage(value)
    if (message === undefined) return false
    if (message.type === 'seen') this.#own.get(message.id)?.take(message.seen)
    else if (message.type === 'watch') this.#want(node, message)
    else {
      const watches = this.#wanted.get(node)
      watches?.get(message.id)?.end?.()
      watches?.delete(message.id)
    }
    return true
  }

  #ask(node: string, id: number, { kind, clientId }: Watching): void {
    this.#parts.send(node, { type: 'watch', id, kind, sensor: clientId })
  }

  #want(node: string, { id, kind, sensor }: Extract<WatchMessage, { type: 'watch' }>): void {
    const watches = this.#wanted.get(node) ?? new Map<number, Wanted>()
    this.#wanted.set(node, watches)
    if (watches.has(id)) return
    if (watches.size >= MOST_WATCHED) {
      this.unshown += 1
      return
    }
    const wanted: Wanted = { id, kind, clientId: sensor, end: undefined, told: 0, toldSince: 0 }
    watches.set(id, wanted)
    this.#begin(node, wanted)
  }

  #begin(node: string, wanted: Wanted): void {
    const { id, kind, clientId } = wanted
    wanted.end = this.#lookAt?.(kind, clientId, (seen) => {
      const now = performance.now()
      if (now - wanted.toldSince > TOLD_TIME) {
        wanted.told = 0
        wanted.toldSince = now
      }
      wanted.told += 1
      if (wanted.told > MOST_TOLD) this.unshown += 1
      else this.#parts.send(node, { type: 'seen', id, seen: writeSeen(kind, seen) })
    })
  }
}
