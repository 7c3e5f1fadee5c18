// Which version of MQTT a broker gets: 5 where it speaks that, else 3.1.1, found out by trying.

import type { VersionDoubt } from '../failures/failure.ts'
import type { Version } from '../negotiation.ts'

/** CONNECTs of MQTT 5 that may stay without any answer before 3.1.1 is tried. */
const SILENCES = 2

/** Milliseconds after which a broker that got 3.1.1 instead of 5 may have learned 5. */
const ANEW = 600_000

/** What is known of one broker. */
export class Versions {
  readonly #auto: boolean
  #preferred: Version
  #known: boolean
  /** CONNECTs of the preferred version that were not answered, since the last that was */
  #silences = 0
  #fellBackAt = 0

  constructor(configured: 'auto' | '5' | '3.1.1') {
    this.#auto = configured === 'auto'
    this.#preferred = configured === '3.1.1' ? 4 : 5
    this.#known = !this.#auto
  }

  /** for attempts from now on */
  get preferred(): Version {
    return this.#preferred
  }

  /** whether it is configured, or the broker has accepted it */
  get known(): boolean {
    return this.#known
  }

  /** For an attempt that nobody waits for: the better version again, a while after the last attempt with it failed. */
  toTry(now: number): Version {
    return this.#auto && this.#known && now - this.#fellBackAt >= ANEW ? 5 : this.#preferred
  }

  /** The broker has accepted a CONNECT of this version. `fellBack`: after it had refused the other one. */
  spoke(version: Version, fellBack: boolean): void {
    this.#silences = 0
    // a late answer in 3.1.1 does not undo what was found out about 5 meanwhile
    if (this.#known && version === 4 && this.#preferred === 5 && !fellBack) return
    this.#preferred = version
    this.#known = true
  }

  /**
   * An attempt of this version failed. Returns whether it is to be made in 3.1.1 at once: not after a silence, which has
   * taken all the time that there was. Then the next attempts take the other version, until one is answered.
   */
  fallsBack(version: Version, doubt: VersionDoubt | undefined, now: number): boolean {
    if (!this.#auto || doubt === undefined) return false
    const speaks5 = this.#known && this.#preferred === 5
    if (doubt === 'silent') {
      if (version === 5) this.#fellBackAt = now
      if (version === this.#preferred && !this.#known) this.#countSilence()
      return false
    }
    if (version !== 5 || (doubt === 'hung up' && speaks5)) return false
    this.#fellBackAt = now
    return true
  }

  #countSilence(): void {
    this.#silences += 1
    if (this.#silences < SILENCES) return
    this.#silences = 0
    this.#preferred = this.#preferred === 5 ? 4 : 5
  }
}
