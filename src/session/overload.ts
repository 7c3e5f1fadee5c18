// What becomes of a message that the gateway has no time for: its sender is told to try later, in its own words [6.6, 6.13].

import { type Packet, ReturnCode } from '../codec/messages.ts'
import type { Peer } from './events.ts'
import type { Session } from './session.ts'
import { mayReply, type Sessions } from './sessions.ts'
import type { Turn } from './settings.ts'
import { verdict } from './states.ts'
import { allow } from './throttle.ts'

/** Refusals per second to one sensor. More would cost the time that is missing; one that hears none repeats itself. */
const REFUSALS = 1

/** Instead of `receive`: counts the message, and refuses it where it can be refused [SN-PUB-14, SN-ROB-1]. */
export function turnAway(sessions: Sessions, packet: Packet, peer: Peer, turn: Turn): void {
  const session = sessions.byPeer.get(peer.key)
  if (session !== undefined) session.heardAt = turn.now // it is alive [SN-KA-2]
  turn.out.push({ type: 'drop', reason: 'overloaded', session })
  const answer = refusalOf(packet, session)
  if (answer === undefined || !mayTell(sessions, packet, peer, turn)) return
  turn.out.push({ type: 'send', peer, packet: answer, ...(session && { session }) })
}

/** Strangers are answered as elsewhere, sensors at their own rate [SN-ROB-3]. */
function mayTell(sessions: Sessions, { type }: Packet, peer: Peer, turn: Turn): boolean {
  if (type === 'connect') return mayReply(sessions, peer, 3, turn)
  const burst = turn.env.settings.limits.inflight
  return allow(sessions.rates.refusal, peer.key, REFUSALS, burst, turn.now)
}

/** Nothing for what has no return code, or may be a repetition of what is under way. */
function refusalOf(packet: Packet, session: Session | undefined): Packet | undefined {
  const returnCode = ReturnCode.congestion
  if (packet.type === 'connect') {
    const isSettingUp = session !== undefined && verdict(session.state, 'publish') !== 'handle'
    return isSettingUp ? undefined : { type: 'connack', returnCode }
  }
  if (session === undefined || verdict(session.state, packet.type) !== 'handle') return undefined
  switch (packet.type) {
    case 'publish': {
      const { topicId, msgId, qos } = packet
      // a QoS 2 message that is refused, but has arrived before, would come a second time as a new one [SN-PUB-10]
      const mayBeKnown = session.uplinks.has(msgId) || (qos === 2 && packet.dup)
      return qos < 1 || mayBeKnown ? undefined : { type: 'puback', topicId, msgId, returnCode }
    }
    case 'register':
      return { type: 'regack', topicId: 0, msgId: packet.msgId, returnCode }
    case 'subscribe': {
      const { msgId } = packet
      return session.requests.has(msgId)
        ? undefined
        : { type: 'suback', qos: 0, topicId: 0, msgId, returnCode }
    }
    case 'willtopicupd':
      return { type: 'willtopicresp', returnCode }
    case 'willmsgupd':
      return { type: 'willmsgresp', returnCode }
    default:
      return undefined
  }
}
