// What is counted of handshakes: how they ended, how long those took that opened a session, and who had to show his address.

import type { SessionInfo } from '../../dtls/effects.ts'
import { addObservation, createHistogram, type Histogram } from '../../histogram.ts'
import type { FailedHandshake, HandshakeKind, HandshakeResult, SecureStats } from '../secure-link.ts'
import type { EffectOf } from './options.ts'

/** Seconds: from a fast network to a slow radio with repetitions. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** Failures that are remembered. */
const MOST_FAILURES = 20

export class HandshakeBook {
  readonly #results: Partial<Record<HandshakeResult, number>> = {}
  readonly #failures: FailedHandshake[] = []
  #helloVerifies = 0
  readonly #times: Readonly<Record<HandshakeKind, Histogram>> = {
    psk: createHistogram(BOUNDS),
    certificate: createHistogram(BOUNDS),
    resumed: createHistogram(BOUNDS),
  }

  /** A session was opened, so many milliseconds after its verified hello. */
  noteOpened({ resumed, kind }: SessionInfo, took: number): void {
    this.#count(resumed ? 'resumed' : 'full')
    addObservation(this.#times[resumed ? 'resumed' : kind === 'psk' ? 'psk' : 'certificate'], took / 1000)
  }

  /** One came to nothing; `at` is a wall time. */
  noteFailed({ remote, identity, cause }: EffectOf<'failed'>, at: number): void {
    this.#count(cause)
    const { address, port } = remote
    const host = address.includes(':') ? `[${address}]` : address
    this.#failures.unshift({ at, address: `${host}:${port}`, identity, cause })
    this.#failures.length = Math.min(this.#failures.length, MOST_FAILURES)
  }

  #count(result: HandshakeResult): void {
    this.#results[result] = (this.#results[result] ?? 0) + 1
  }

  /** A hello was asked to show that its address is its own. */
  noteVerify(): void {
    this.#helloVerifies += 1
  }

  stats(): Pick<SecureStats, 'handshakes' | 'failures' | 'handshakeTimes' | 'helloVerifies'> {
    return {
      handshakes: { ...this.#results },
      failures: [...this.#failures],
      handshakeTimes: this.#times,
      helloVerifies: this.#helloVerifies,
    }
  }
}
