// Tells workers how much room the lines have, whose queues are in this thread: without that, a worker that has much for a sensor would
// send it all at once, and most would be lost for want of room.

import type { Remote } from '../../transport/transport.ts'
import { type ChannelOf, idleRoom, type LineRoom } from './channel.ts'

/** How often lines with something to send are looked at, milliseconds. */
const PAUSE = 25
/** Queues that are looked at: those of modems that have gone are among them. */
const MOST = 1024

/** One line with its queue, or one connection of many. */
interface Queue {
  readonly listener: number
  readonly channel: string
  readonly remote: Remote
  /** messages taken, by the number of the worker, and how many of them it knows of */
  readonly taken: number[]
  readonly told: number[]
  /** the share of each worker that was told last */
  share: number
}

/** A listener, as far as it matters here. */
export interface LineOfFront {
  readonly channelOf: ChannelOf
  /** messages that its queue may hold */
  readonly messages: number
  room?(remote: Remote): number
  longest?(): number | undefined
}

export class FrontRoom {
  readonly #count: number
  readonly #lineOf: (listener: number) => LineOfFront | undefined
  readonly #tell: (worker: number, told: LineRoom) => void
  readonly #queues = new Map<string, Queue>()
  readonly #busy = new Set<Queue>()
  #timer: NodeJS.Timeout | undefined

  /** `count` workers; `tell` sends to one of them. */
  constructor(
    count: number,
    lineOf: (listener: number) => LineOfFront | undefined,
    tell: (worker: number, told: LineRoom) => void,
  ) {
    this.#count = count
    this.#lineOf = lineOf
    this.#tell = tell
  }

  /** A message of a worker was given to the link. */
  noteTaken(worker: number, listener: number, remote: Remote): void {
    const line = this.#lineOf(listener)
    const channel = line?.channelOf(remote)
    if (line === undefined || channel === undefined) return
    const queue = this.#find(listener, channel, remote, line)
    queue.taken[worker] = (queue.taken[worker] ?? 0) + 1
    this.#busy.add(queue)
    this.#timer ??= setTimeout(() => this.#look(), PAUSE)
  }

  /** A worker was started in place of one that was lost: nothing of it was taken yet. */
  forgetWorker(worker: number): void {
    for (const { taken, told } of this.#queues.values()) taken[worker] = told[worker] = 0
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#busy.clear()
  }

  /** Tells what has changed, and looks again while that may change without a further message. */
  #look(): void {
    this.#timer = undefined
    for (const queue of this.#busy) {
      const line = this.#lineOf(queue.listener)
      const room = line?.room?.(queue.remote) ?? Number.POSITIVE_INFINITY
      const share = Math.ceil(room / this.#count)
      const isNew = share !== queue.share
      queue.share = share
      for (let worker = 0; worker < this.#count; worker++) {
        const taken = queue.taken[worker] ?? 0
        if (!isNew && taken === queue.told[worker]) continue
        queue.told[worker] = taken
        const { listener, channel } = queue
        this.#tell(worker, { listener, channel, room: share, taken, longest: line?.longest?.() })
      }
      if (line === undefined || room >= idleRoom(line.messages)) this.#busy.delete(queue)
    }
    if (this.#busy.size > 0) this.#timer = setTimeout(() => this.#look(), PAUSE)
  }

  #find(listener: number, channel: string, remote: Remote, { messages }: LineOfFront): Queue {
    const key = `${listener} ${channel}`
    const known = this.#queues.get(key)
    if (known !== undefined) return known
    const zeros = () => new Array<number>(this.#count).fill(0)
    const share = Math.ceil(idleRoom(messages) / this.#count)
    const queue: Queue = { listener, channel, remote, taken: zeros(), told: zeros(), share }
    this.#queues.set(key, queue)
    for (const [oldest, one] of this.#queues) {
      if (this.#queues.size <= MOST) break
      this.#queues.delete(oldest)
      this.#busy.delete(one)
    }
    return queue
  }
}
