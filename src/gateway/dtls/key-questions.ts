// A function of the program that the gateway runs in, which knows keys of identities: asked at once, or waited for.

import type { Log } from '../../log.ts'

/** What is known of a key; undefined: there is none. */
type Found = Uint8Array | undefined

/**
 * Finds the pre-shared key of an identity: 8 to 64 octets; undefined where nobody has it. `listener` is the name of the listener
 * that is asked. It may take its time: only the one handshake waits, `dtls.handshake` at most.
 */
export type KeyLookUp = (identity: string, listener: string) => Found | Promise<Found>

export class KeyQuestions {
  readonly #lookUp: KeyLookUp
  readonly #listener: string
  readonly #log: Log
  /** it has answered by a promise: from then on it is asked when there is time to wait, and never by many at once */
  #isLate = false
  /** the promise that showed this, until somebody waits for it */
  #first: readonly [identity: string, answer: Promise<Found>] | undefined

  constructor(lookUp: KeyLookUp, listener: string, log: Log) {
    this.#lookUp = lookUp
    this.#listener = listener
    this.#log = log
  }

  /** The key, none, or that there is something to wait for by `wait`. */
  ask(identity: string): Found | 'later' {
    if (this.#isLate) return 'later'
    try {
      const answer = this.#lookUp(identity, this.#listener)
      if (!(answer instanceof Promise)) return answer
      answer.catch(() => {}) // whoever waits is told
      this.#isLate = true
      this.#first = [identity, answer]
      return 'later'
    } catch (error) {
      this.#complain(error)
      return undefined
    }
  }

  /** The answer to what `ask` had no answer to; rejects where the function failed. */
  async wait(identity: string): Promise<Found> {
    try {
      const [asked, answer] = this.#first ?? []
      if (asked !== identity) return await this.#lookUp(identity, this.#listener)
      this.#first = undefined
      return await answer
    } catch (error) {
      this.#complain(error)
      throw error
    }
  }

  #complain(err: unknown): void {
    this.#log.error(
      { err, listener: this.#listener },
      'the function that finds keys failed: nobody has this identity for now',
    )
  }
}
