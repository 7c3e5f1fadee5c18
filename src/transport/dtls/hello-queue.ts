// Hellos wait until everybody who has a session was heard in a turn of the event loop: strangers may send any number of them, and
// answering one costs more than reading it. Those with a cookie go first. What cannot be answered in time is dropped, and counted.

import { peekHello } from '../../dtls/server/opening/peek-hello.ts'
import type { Remote } from '../transport.ts'

/** Hellos that may wait, of each kind, and the octets of one: longer ones are none that anybody would answer. */
const MOST = 512
const LONGEST = 4200
/** Hellos that are answered in one turn. */
const BUDGET = 64
/** libuv reads at most so many datagrams of a socket in one turn: when there were as many, others wait in the system's buffer. */
const FULL_TURN = 32
/** Then only so many are answered, and reading goes on: what the system drops may be of anybody. */
const SCARCE_BUDGET = 4

type Hello = readonly [bytes: Uint8Array, from: Remote]

export class HelloQueue {
  readonly #withCookie: Hello[] = []
  readonly #bare: Hello[] = []
  readonly #answer: (bytes: Uint8Array, from: Remote) => void
  readonly #onDropped: (from: Remote) => void
  #next: NodeJS.Immediate | undefined
  /** datagrams that came since the last turn */
  #read = 0

  /** `answer` is called for those whose turn it is; none of the two may throw. */
  constructor(answer: (bytes: Uint8Array, from: Remote) => void, onDropped: (from: Remote) => void) {
    this.#answer = answer
    this.#onDropped = onDropped
  }

  /** Every datagram passes here; true: it is a hello, and waits. */
  takes(bytes: Uint8Array, from: Remote): boolean {
    this.#read++
    const kind = bytes.length > LONGEST ? undefined : peekHello(bytes)
    if (kind === undefined) return false
    const queue = kind === 'bare' ? this.#bare : this.#withCookie
    if (queue.length >= MOST) this.#onDropped(from)
    else queue.push([bytes, from])
    if (this.#next === undefined) this.#plan(1)
    return true
  }

  /** Whoever waits gets no answer any more. */
  close(): void {
    this.#bare.length = 0
    this.#withCookie.length = 0
    if (this.#next !== undefined) clearImmediate(this.#next)
    this.#next = undefined
  }

  /** `read`: how many datagrams of the turn were read already. */
  #plan(read: number): void {
    this.#read = read
    this.#next = setImmediate(() => this.#turn())
  }

  #turn(): void {
    const budget = this.#read < FULL_TURN ? BUDGET : SCARCE_BUDGET
    const first = this.#withCookie.splice(0, budget)
    const then = this.#bare.splice(0, budget - first.length)
    this.#next = undefined
    for (const hello of first) this.#answer(...hello)
    for (const hello of then) this.#answer(...hello)
    if (this.#next === undefined && this.#bare.length + this.#withCookie.length > 0) this.#plan(0)
  }
}
