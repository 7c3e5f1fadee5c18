// What sensors said while nobody listened is not held against them.

import { isAccepted } from '../session/states.ts'
import type { Sessions } from './table.ts'

/**
 * Nobody listened from then until now: each sensor that is connected has as much time left as it had, so that it is not lost before it
 * could repeat itself. Deadlines that are noted too early do no harm: they are looked at anew.
 */
export function excuseSilence(sessions: Pick<Sessions, 'byClientId'>, since: number, now: number): void {
  for (const session of sessions.byClientId.values())
    if (isAccepted(session)) session.heardAt = Math.min(now, session.heardAt + now - since)
}
