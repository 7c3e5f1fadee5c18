// Whether anybody listens to sensors, where several processes are ready to serve: without a lease nobody does here, and what sockets
// hold after the process stood still is thrown away.

import { excuseSilence } from '../../sessions/excuse-silence.ts'
import type { Sessions } from '../../sessions/table.ts'
import type { Tenure } from '../tenure.ts'
import { STALL } from './stall.ts'

export class Attention {
  readonly #tenure: Pick<Tenure, 'holds'>
  /** when it was there last, and deadlines could be looked at */
  #since: number

  constructor(tenure: Pick<Tenure, 'holds'>, now: number) {
    this.#tenure = tenure
    this.#since = now
  }

  /** Whether deadlines may be looked at now. A time in which nobody listened is held against no sensor. */
  isThere(sessions: Pick<Sessions, 'byClientId'>, now: number): boolean {
    if (!this.#tenure.holds()) return false
    if (now - this.#since > STALL) excuseSilence(sessions, this.#since, now)
    this.#since = now
    return true
  }
}
