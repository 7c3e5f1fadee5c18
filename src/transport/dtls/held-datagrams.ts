// Datagrams that wait. Those that come before the link serves; and those that must not leave before the sequence numbers in them are
// reserved on the disk, as otherwise a crash could use a nonce twice: they wait by the address that they go to.

import type { Remote } from '../../dtls/effects.ts'

/** Datagrams of one address that may wait; what is above is lost, as the network would do. */
const MOST = 256
/**
 * Milliseconds after which one is lost, too: both sides repeat what matters, and an answer to a question from before the last one may
 * mean something else by now. A sensor that hears a PINGRESP so late sleeps, though it is being served.
 */
const MOST_AGE = 1000

/** Datagrams that may wait until there is somebody to take them. */
const MOST_EARLY = 5000

/** Those that come before the link begins to serve. */
export class EarlyDatagrams {
  #waiting: [bytes: Uint8Array, from: Remote][] | undefined = []

  /** it serves */
  get isOver(): boolean {
    return this.#waiting === undefined
  }

  /** Whether this one waits, or is lost as too many do. */
  takes(bytes: Uint8Array, from: Remote): boolean {
    if (this.#waiting === undefined) return false
    if (this.#waiting.length < MOST_EARLY) this.#waiting.push([bytes, from])
    return true
  }

  /** It does not serve any more. */
  resume(): void {
    this.#waiting = []
  }

  /** It serves now: these have waited. */
  end(): readonly [bytes: Uint8Array, from: Remote][] {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    return waiting
  }
}

type Datagram = readonly [bytes: Uint8Array, to: Remote, since: number]

const keyOf = ({ address, port }: Remote): string => `${address}|${port}`

interface Queue {
  /** addresses that it is found by: more than one where peers have moved */
  readonly keys: string[]
  /** datagrams, each behind the number of the write that must be on the disk before it leaves */
  readonly items: (Datagram | number)[]
  /** how many of these are datagrams */
  datagrams: number
}

/** Datagrams that wait for writes of the store: no longer than for those that were wanted before them, however many are wanted later. */
export class HeldDatagrams {
  readonly #queues = new Map<string, Queue>()
  readonly #all = new Set<Queue>()
  readonly #send: (bytes: Uint8Array, to: Remote) => void
  readonly #now: () => number
  readonly #onLost: () => void

  /** `onLost`: told of each that does not leave, since too many wait or it has waited for too long */
  constructor(
    send: (bytes: Uint8Array, to: Remote) => void,
    now = () => performance.now(),
    onLost: () => void = () => {},
  ) {
    this.#send = send
    this.#now = now
    this.#onLost = onLost
  }

  /** Whether anything may wait. */
  get isHolding(): boolean {
    return this.#all.size > 0
  }

  /** What goes to this address from now on waits until the write of this number is on the disk. */
  hold(to: Remote, upTo: number): void {
    const { items } = this.#queueAt(to)
    const last = items.at(-1)
    if (typeof last === 'number') items[items.length - 1] = Math.max(last, upTo)
    else items.push(upTo)
  }

  /** All writes up to this number are on the disk. */
  settle(durable: number): void {
    for (const queue of this.#all) this.#settleQueue(queue, durable)
  }

  /** The peer has another address: what waits there goes on waiting, also where something waits for another peer that was there. */
  move(from: Remote, to: Remote): void {
    const [queue, other] = [this.#queues.get(keyOf(from)), this.#queues.get(keyOf(to))]
    if (queue === undefined || queue === other) return
    if (other === undefined) this.#addKey(queue, keyOf(to))
    else {
      other.items.push(...queue.items)
      other.datagrams += queue.datagrams
      this.#all.delete(queue)
      for (const key of queue.keys) this.#addKey(other, key)
    }
  }

  send(bytes: Uint8Array, to: Remote): void {
    const queue = this.#queues.size === 0 ? undefined : this.#queues.get(keyOf(to))
    if (queue === undefined) return this.#send(bytes, to)
    if (queue.datagrams >= MOST) return this.#onLost()
    queue.items.push([bytes, to, this.#now()])
    queue.datagrams += 1
  }

  #queueAt(to: Remote): Queue {
    const known = this.#queues.get(keyOf(to))
    if (known !== undefined) return known
    const queue: Queue = { keys: [], items: [], datagrams: 0 }
    this.#addKey(queue, keyOf(to))
    this.#all.add(queue)
    return queue
  }

  #addKey(queue: Queue, key: string): void {
    queue.keys.push(key)
    this.#queues.set(key, queue)
  }

  #settleQueue(queue: Queue, durable: number): void {
    const oldest = this.#now() - MOST_AGE
    const { items } = queue
    const next = items.findIndex((item) => typeof item === 'number' && item > durable)
    const due = items.splice(0, next === -1 ? items.length : next)
    if (items.length === 0) {
      for (const key of queue.keys) this.#queues.delete(key)
      this.#all.delete(queue)
    }
    for (const item of due) {
      if (typeof item === 'number') continue
      const [bytes, to, since] = item
      queue.datagrams -= 1
      if (since >= oldest) this.#send(bytes, to)
      else this.#onLost()
    }
  }
}
