// A publish of the sensor, as it continues after a restart.

import type { Uplink } from '../session/session.ts'

/** No connection of before is left: what was given to one is given again, and nobody waits for an answer. */
export function restoredUplink(uplink: Uplink): Uplink {
  const sent = uplink.stage === 'sent'
  return {
    ...uplink,
    stage: sent ? 'waiting' : uplink.stage,
    repeated: sent || uplink.repeated,
    deadline: Number.POSITIVE_INFINITY,
  }
}
