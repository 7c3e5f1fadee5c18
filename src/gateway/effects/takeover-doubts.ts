// The broker says that somebody else has opened the connection of a sensor: where other processes are ready to serve it, that is believed
// only after a look at whose it is, and only if the sensor has not gone on meanwhile.

import type { Session } from '../../session/session.ts'
import type { Tenure } from '../tenure.ts'

/** One object for the life of a gateway. */
export class TakeoverDoubts {
  readonly #tenure: Pick<Tenure, 'confirm'>
  /** sessions whose connection has ended, which they do not know yet */
  readonly #doubted = new Set<Session>()

  constructor(tenure: Pick<Tenure, 'confirm'>) {
    this.#tenure = tenure
  }

  /** Calls back if the sensor is still that of this process, and its session has no other connection by then, nor wants one. */
  async check(session: Session, tell: () => void): Promise<void> {
    this.#doubted.add(session)
    const isOurs = await this.#tenure.confirm()
    const isWaiting = this.#doubted.delete(session)
    if (isOurs && isWaiting && session.link.state === 'up') tell()
  }

  /** The session opens another connection, gives up the one that has ended, or goes on somewhere else. */
  forget(session: Session): void {
    if (this.#doubted.size > 0) this.#doubted.delete(session)
  }
}
