// Tells the log of stored messages that the broker refuses: they wait, and nobody would know why.

import type { Log } from '../../log.ts'
import type { Session } from '../../session/session.ts'
import { hex } from '../../upstream/reason-codes.ts'
import { reasonName } from '../../upstream/reason-names.ts'

/** Milliseconds between two lines about the same rule and code. */
const PAUSE = 3_600_000

/** Pairs of rule and code that are remembered: a configuration has fewer. */
const MOST = 10_000

/** Makes the procedure; `match`: the pattern of the sensor's rule. */
export function createRefusalLog(
  log: Log,
  now: () => number = () => performance.now(),
): (session: Pick<Session, 'clientId'>, match: string, reason: number) => void {
  const toldAt = new Map<string, number>()
  return ({ clientId }, match, reason) => {
    const key = `${reason} ${match}`
    if (now() - (toldAt.get(key) ?? Number.NEGATIVE_INFINITY) < PAUSE) return
    if (toldAt.size >= MOST) toldAt.clear()
    toldAt.set(key, now())
    log.error(
      { rule: match, clientId, code: hex(reason), reason: reasonName(reason) },
      'the broker refuses stored messages, which wait and are tried again',
    )
  }
}
