// Notices that the process has stood still, and what sockets hold since then: that is thrown away before anything else, since its
// senders have repeated it meanwhile, perhaps to another process. Pure: time is an argument.

/** A pause of the event loop that counts as standing still, milliseconds. */
export const STALL = 500
/** Datagrams of one turn: with so many, there are more. */
const MANY = 32
/** Throwing away ends after so many milliseconds, whatever comes: by then, all is new. */
const LONGEST = 1000

/** Whether the process has just stood still; to be asked far more often than every `STALL`, the first time whenever it begins. */
export class Pulse {
  /** when it last began to run again */
  wokenAt = Number.NEGATIVE_INFINITY
  #last = Number.POSITIVE_INFINITY

  isStall(now: number): boolean {
    const isStall = now - this.#last > STALL
    this.#last = now
    if (isStall) this.wokenAt = now
    return isStall
  }
}

/** `beat` has to be called far more often than every `STALL` while the process runs. */
export class StallWatch {
  #last: number
  #until: number | undefined
  #inTurn = 0

  constructor(now: number) {
    this.#last = now
  }

  /** The process runs. */
  beat(now: number): void {
    if (now - this.#last > STALL) {
      this.#until = now + LONGEST
      this.#inTurn = MANY // the sockets have not been looked at yet
    }
    this.#last = now
  }

  /** A datagram comes in; true: it is to be thrown away. */
  isStale(now: number): boolean {
    this.beat(now)
    if (this.#until === undefined) return false
    this.#inTurn += 1
    return true
  }

  /** Whether `endTurn` has to be called at the end of each turn of the event loop. */
  get isClearing(): boolean {
    return this.#until !== undefined
  }

  /** All sockets have had their turn: the one that gave less than many has no more. */
  endTurn(now: number): void {
    if (this.#until === undefined) return
    if (this.#inTurn < MANY || now >= this.#until) this.#until = undefined
    this.#inTurn = 0
  }
}
