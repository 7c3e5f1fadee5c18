// How much room the lines have, as one worker knows it: what the front has told last, less what was sent since. Pure.

import type { ChannelOf, LineRoom } from './channel.ts'

/** Queues that are remembered: those of modems that have gone are among them. */
const MOST = 1024

interface Known {
  room: number
  /** of those sent, how many are accounted for in it */
  taken: number
  sent: number
}

/** The lines of all listeners. */
export class WorkerRoom {
  readonly #channels: readonly ChannelOf[]
  readonly #atFirst: readonly number[]
  readonly #known = new Map<string, Known>()
  readonly #longest: (number | undefined)[] = []

  /** `channels` and `atFirst`, the share of an idle queue, by the listener's number */
  constructor(channels: readonly ChannelOf[], atFirst: readonly number[]) {
    this.#channels = channels
    this.#atFirst = atFirst
  }

  /** Messages that this worker may send to a peer now. */
  of(listener: number, remote: Parameters<ChannelOf>[0]): number {
    const known = this.#find(listener, remote)
    return known === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(0, known.room - (known.sent - known.taken))
  }

  /** Octets of the longest message that a line carries, as far as it is known. */
  longestOf(listener: number): number | undefined {
    return this.#longest[listener]
  }

  /** One more is on its way. */
  noteSent(listener: number, remote: Parameters<ChannelOf>[0]): void {
    const known = this.#find(listener, remote)
    if (known !== undefined) known.sent += 1
  }

  /** What the front has told. */
  learn({ listener, channel, room, taken, longest }: LineRoom): void {
    this.#longest[listener] = longest
    const known = this.#known.get(`${listener} ${channel}`)
    if (known !== undefined) Object.assign(known, { room, taken })
  }

  #find(listener: number, remote: Parameters<ChannelOf>[0]): Known | undefined {
    const channel = this.#channels[listener]?.(remote)
    if (channel === undefined) return undefined
    const key = `${listener} ${channel}`
    const found = this.#known.get(key)
    if (found !== undefined) return found
    const fresh = { room: this.#atFirst[listener] ?? Number.POSITIVE_INFINITY, taken: 0, sent: 0 }
    this.#known.set(key, fresh)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MOST) break
      this.#known.delete(oldest)
    }
    return fresh
  }
}
