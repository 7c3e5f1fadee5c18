// The end of the lease in memory that all threads of a process share: the first thread keeps the lease, the others read here
// whether it holds.

/** Milliseconds of a clock that all threads have in common, as an integer modulo 2^32, from the thread's own `performance.now`. */
const offset = Number(process.hrtime.bigint()) / 1e6 - performance.now()
const toShared = (monotonic: number): number => (monotonic + offset) | 0

const HELD = 0
const END = 1

/** One per process; `memory` is handed to threads. */
export class LeaseEnd {
  readonly memory: SharedArrayBuffer
  readonly #numbers: Int32Array

  constructor(memory = new SharedArrayBuffer(8)) {
    this.memory = memory
    this.#numbers = new Int32Array(memory)
  }

  /** `end`: monotonic milliseconds of this thread; -Infinity: it does not hold any more. */
  set(end: number): void {
    if (end === Number.NEGATIVE_INFINITY) return void Atomics.store(this.#numbers, HELD, 0)
    Atomics.store(this.#numbers, END, toShared(end))
    Atomics.store(this.#numbers, HELD, 1)
  }

  /** Whether it holds now. */
  holds(now = performance.now()): boolean {
    // both count modulo 2^32
    return (
      Atomics.load(this.#numbers, HELD) === 1 && ((Atomics.load(this.#numbers, END) - toShared(now)) | 0) > 0
    )
  }
}
