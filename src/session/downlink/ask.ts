// What the gateway asks of the sensor and waits for: sent, and sent again as it was [6.13].

import { publishLength, registerLength } from '../../codec/v1/frame.ts'
import { octets } from '../../mqtt-topics.ts'
import type { Session } from '../session.ts'
import { send, type Turn } from '../turn.ts'
import type { Outstanding } from './outstanding.ts'
import { spendCredit } from './validation.ts'

type Request = Outstanding['packet']

/** Sends a request of the gateway and waits for its answer. `repeated`: the sensor may have had it before. */
export function askSensor(session: Session, packet: Request, turn: Turn, repeated = false): void {
  const deadline = turn.now + turn.env.settings.timers.tRetry
  session.downlink.outstanding = { packet, repeated, since: turn.now, tries: 0, deadline }
  send(session, packet, turn)
}

/** Sends it again, and waits once more: the same octets, but for DUP of PUBLISH [SN-GPUB-13]. */
export function repeatRequest(session: Session, outstanding: Outstanding, turn: Turn): void {
  const { packet } = outstanding
  outstanding.deadline = turn.now + turn.env.settings.timers.tRetry
  outstanding.repeated = true
  if (!spendCredit(session, lengthOf(packet), turn)) return
  send(session, packet.type === 'publish' ? { ...packet, dup: true } : packet, turn, true)
}

/** Octets; those that bear no data are short. */
function lengthOf(packet: Request): number {
  if (packet.type === 'publish') return publishLength(packet.data.length)
  return packet.type === 'register' ? registerLength(octets(packet.topicName)) : 4
}

/** Stops waiting: the sensor falls asleep, or connects anew. What is unfinished is offered again. */
export function stopWaiting({ downlink }: Session): void {
  downlink.paused = false
  downlink.outstanding = undefined
}

/** The sensor was silent and has spoken: what is still open is sent again [AMB-26]. */
export function resumeDelivery(session: Session, turn: Turn): void {
  const { downlink, state } = session
  if (!downlink.paused) return
  downlink.paused = false
  const { outstanding } = downlink
  if (outstanding === undefined || (state !== 'active' && state !== 'awake')) return
  outstanding.tries = 0
  repeatRequest(session, outstanding, turn)
}
