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
  /** asked, and not called for yet: the core asks first, and then lets us wait */
  readonly #pending = new Map<string, Promise<Found>>()

  constructor(lookUp: KeyLookUp, listener: string, log: Log) {
    this.#lookUp = lookUp
    this.#listener = listener
    this.#log = log
  }

  /** The key, none, or that there is something to wait for by `wait`. */
  ask(identity: string): Found | 'later' {
    if (this.#pending.has(identity)) return 'later'
    try {
      const answer = this.#lookUp(identity, this.#listener)
      if (!(answer instanceof Promise)) return answer
      answer.catch((error: unknown) => this.#complain(error))
      this.#pending.set(identity, answer)
      return 'later'
    } catch (error) {
      this.#complain(error)
      return undefined
    }
  }

  /** The answer to what `ask` had no answer to; rejects where the function failed. */
  wait(identity: string): Promise<Found> {
    const answer = this.#pending.get(identity)
    this.#pending.delete(identity)
    return answer ?? Promise.resolve(this.#lookUp(identity, this.#listener))
  }

  #complain(err: unknown): void {
    this.#log.error(
      { err, listener: this.#listener },
      'the function that finds keys failed: nobody has this identity for now',
    )
  }
}
