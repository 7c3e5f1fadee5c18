// Sends datagrams to another thread, in batches and with a bound: what the other thread has not taken up yet is counted.

import type { Remote } from '../../transport/transport.ts'
import { Batch } from './batch.ts'

/** Datagrams that may be on their way to a thread; it is overloaded when there are more. */
const MOST = 16_384
/** So many go at once, without waiting for the end of the turn. */
const FULL = 256

export type Direction = 'toWorker' | 'toFront'

/** Numbers that two threads share: how many datagrams of each direction have been taken up, modulo 2^32. */
export class Tally {
  readonly memory: SharedArrayBuffer
  readonly #numbers: Int32Array

  constructor(memory = new SharedArrayBuffer(8)) {
    this.memory = memory
    this.#numbers = new Int32Array(memory)
  }

  /** Notes that so many have been taken up. */
  add(direction: Direction, count: number): void {
    Atomics.add(this.#numbers, indexOf(direction), count)
  }

  read(direction: Direction): number {
    return Atomics.load(this.#numbers, indexOf(direction))
  }
}

const indexOf = (direction: Direction): number => (direction === 'toWorker' ? 0 : 1)

export class Outbox {
  readonly #batch = new Batch()
  readonly #tally: Tally
  readonly #direction: Direction
  readonly #post: (batch: Uint8Array<ArrayBuffer>, count: number) => void
  #sent = 0
  #planned = false

  /** `post` hands a batch to the other thread. */
  constructor(
    tally: Tally,
    direction: Direction,
    post: (batch: Uint8Array<ArrayBuffer>, count: number) => void,
  ) {
    this.#tally = tally
    this.#direction = direction
    this.#post = post
  }

  /** Sends with all others of this turn of the event loop; false if the other thread is too far behind. */
  add(listener: number, remote: Remote, bytes: Uint8Array): boolean {
    // both count modulo 2^32
    if (((this.#sent - this.#tally.read(this.#direction)) | 0) >= MOST) return false
    this.#batch.add(listener, remote, bytes)
    this.#sent = (this.#sent + 1) | 0
    this.plan()
    if (this.#batch.count >= FULL) this.flush()
    return true
  }

  /** There is something to tell the other thread, if not datagrams. */
  plan(): void {
    if (this.#planned) return
    this.#planned = true
    setImmediate(() => this.flush())
  }

  /** Sends what there is, now. */
  flush(): void {
    if (!this.#planned) return
    this.#planned = false
    const { count } = this.#batch
    this.#post(this.#batch.take(), count)
  }
}
