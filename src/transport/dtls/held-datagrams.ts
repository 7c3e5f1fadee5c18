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
  waits: number
  /** addresses that it is found by: more than one where the peer has moved */
  readonly keys: string[]
  readonly datagrams: Datagram[]
}

export class HeldDatagrams {
  readonly #queues = new Map<string, Queue>()
  readonly #send: (bytes: Uint8Array, to: Remote) => void

  readonly #now: () => number

  constructor(send: (bytes: Uint8Array, to: Remote) => void, now = () => performance.now()) {
    this.#send = send
    this.#now = now
  }

  /** What goes to this address from now on waits until the returned function is called. */
  hold(to: Remote): () => void {
    const key = keyOf(to)
    const queue = this.#queues.get(key) ?? { waits: 0, keys: [key], datagrams: [] }
    this.#queues.set(key, queue)
    queue.waits += 1
    return () => {
      queue.waits -= 1
      if (queue.waits > 0) return
      for (const each of queue.keys) this.#queues.delete(each)
      const oldest = this.#now() - MOST_AGE
      for (const [bytes, to, since] of queue.datagrams) if (since >= oldest) this.#send(bytes, to)
    }
  }

  /** The peer has another address: what waits there goes on waiting. */
  move(from: Remote, to: Remote): void {
    const queue = this.#queues.get(keyOf(from))
    if (queue === undefined || this.#queues.has(keyOf(to))) return
    queue.keys.push(keyOf(to))
    this.#queues.set(keyOf(to), queue)
  }

  send(bytes: Uint8Array, to: Remote): void {
    const queue = this.#queues.size === 0 ? undefined : this.#queues.get(keyOf(to))
    if (queue === undefined) this.#send(bytes, to)
    else if (queue.datagrams.length < MOST) queue.datagrams.push([bytes, to, this.#now()])
  }
}
