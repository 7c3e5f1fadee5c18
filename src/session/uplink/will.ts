// The will of a sensor that shares its connection to the broker with others: the gateway publishes it, as a message of the sensor
// that it has taken over. So it is durable, tried again, and delivered once, like any other.

import { effectiveWill, type Uplink } from '../message.ts'
import type { Session } from '../session.ts'
import { type Turn, takeToken } from '../turn.ts'
import { addToSpooled } from './backlog.ts'
import { uplinkSize } from './record.ts'
import { enqueueUplink } from './uplinks.ts'

/** Puts the will in line for the broker, if there is one; limits on what waits do not hold for it. */
export function spoolWill(session: Session, turn: Turn): void {
  const will = effectiveWill(session.will)
  if (will === undefined) return
  const { topic, message, qos, retain } = will
  const uplink: Uplink = {
    token: takeToken(session, qos === 2, turn),
    msgId: 0,
    qos,
    topicIdType: 'normal',
    topicId: 0,
    topic,
    retain,
    data: message,
    at: turn.now,
    stored: true,
    repeated: false,
    broker: 'waiting',
    sensor: 'released',
    deadline: Number.POSITIVE_INFINITY,
    retryAt: 0,
  }
  addToSpooled(session, 1, uplinkSize(uplink), turn.env)
  enqueueUplink(session, uplink)
  turn.out.push({ type: 'keepUplink', session, uplink })
}
