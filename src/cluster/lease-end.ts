// The end of the lease in memory that all threads of a process share: the first thread keeps the lease, the others read here
// whether it holds.

/** Milliseconds of a clock that all threads have in common, as an integer modulo 2^32, from the thread's own `performance.now`. */
const offset = Number(process.hrtime.bigint()) / 1e6 - performance.now()
const toShared = (monotonic: number): number => (monotonic + offset) | 0

const HELD = 0
const END = 1

/** What stands at `HELD`: it does not hold, the engine has given it, or it goes on without the engine. */
const [NOT_HELD, GIVEN, WITHOUT_ENGINE] = [0, 1, 2]

/** One per process; `memory` is handed to threads. */
export class LeaseEnd {
  readonly memory: SharedArrayBuffer
  readonly #numbers: Int32Array

  constructor(memory = new SharedArrayBuffer(8)) {
    this.memory = memory
    this.#numbers = new Int32Array(memory)
  }

  /** `end`: monotonic milliseconds of this thread; -Infinity: it does not hold any more. */
  set(end: number, isWithoutEngine = false): void {
    if (end === Number.NEGATIVE_INFINITY) return void Atomics.store(this.#numbers, HELD, NOT_HELD)
    Atomics.store(this.#numbers, END, toShared(end))
    if (!isWithoutEngine) Atomics.store(this.#numbers, HELD, GIVEN)
    // what was suspended meanwhile stays so
    else Atomics.compareExchange(this.#numbers, HELD, GIVEN, WITHOUT_ENGINE)
  }

  /**
   * There is a sign that another node may have taken over. As long as the engine answers it cannot have; without the engine nothing
   * is served until that has given the lease again, which is what `true` says. Any thread may call it.
   */
  suspend(): boolean {
    return Atomics.compareExchange(this.#numbers, HELD, WITHOUT_ENGINE, NOT_HELD) === WITHOUT_ENGINE
  }

  /** It was suspended, or is over. */
  get isOver(): boolean {
    return Atomics.load(this.#numbers, HELD) === NOT_HELD
  }

  /** Whether it holds now. */
  holds(now = performance.now()): boolean {
    // both count modulo 2^32
    return !this.isOver && ((Atomics.load(this.#numbers, END) - toShared(now)) | 0) > 0
  }
}
