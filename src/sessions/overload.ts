// What becomes of a message that the gateway has no time for: its sender is told to try later, in its own words [6.6, 6.13].

import { type Packet, ReturnCode } from '../codec/v1/messages.ts'
import { provesConnack } from '../session/handle.ts'
import type { Peer } from '../session/peers.ts'
import { renewLease } from '../session/record.ts'
import type { Session } from '../session/session.ts'
import { isRepeatedConnect } from '../session/setup/connect.ts'
import { isLive, verdict } from '../session/states.ts'
import type { Turn } from '../session/turn.ts'
import { mayReply } from './strangers.ts'
import type { Sessions } from './table.ts'
import { allow } from './throttle.ts'

/** Refusals per second to one sensor. More would cost the time that is missing; one that hears none repeats itself. */
const REFUSALS = 1

/** Instead of `receive`: counts the message, and refuses it where it can be refused [SN-PUB-14, SN-ROB-1]. */
export const turnAway = (sessions: Sessions, packet: Packet, peer: Peer, turn: Turn): void =>
  refuseFor('overloaded', sessions, packet, peer, turn)

/** The same for this reason. */
export function refuseFor(
  reason: 'overloaded' | 'store-failing',
  sessions: Sessions,
  packet: Packet,
  peer: Peer,
  turn: Turn,
): void {
  const session = sessions.byPeer.get(peer.key)
  if (session !== undefined) noteHeard(session, packet, turn)
  const refusal = { reason, peer, clientId: session?.clientId } as const
  turn.out.push({ type: 'drop', reason, session, refusal })
  const answer = answerTo(packet, session, turn, reason === 'overloaded')
  if (answer === undefined || !mayTell(sessions, packet, peer, turn)) return
  turn.out.push({ type: 'send', peer, packet: answer, ...(session && { session }) })
}

/** Strangers are answered as elsewhere, sensors at their own rate [SN-ROB-3]. */
function mayTell(sessions: Sessions, { type }: Packet, peer: Peer, turn: Turn): boolean {
  if (type === 'connect') return mayReply(sessions, peer, 3, turn)
  const burst = turn.env.settings.limits.inflight
  return allow(sessions.rates.refusal, peer.key, REFUSALS, burst, turn.now)
}

/** It is alive [SN-KA-2], and may have shown that it has its CONNACK. */
function noteHeard(session: Session, { type }: Packet, turn: Turn): void {
  session.heardAt = turn.now
  renewLease(session, turn)
  if (provesConnack.has(type)) session.setup.fresh = false
}

/** Nothing for what has no return code, or may be a repetition of what is under way or was accepted. */
function answerTo(
  packet: Packet,
  session: Session | undefined,
  turn: Turn,
  copiesMayWait: boolean,
): Packet | undefined {
  const returnCode = ReturnCode.congestion
  if (packet.type === 'connect') {
    if (session?.state === 'active' && isRepeatedConnect(session, packet, turn.now))
      return { type: 'connack', returnCode: ReturnCode.accepted } // it was lost [SN-CONN-10]
    const isSettingUp = session !== undefined && !isLive(session)
    return isSettingUp ? undefined : { type: 'connack', returnCode }
  }
  if (session === undefined || verdict(session.state, packet.type) !== 'handle') return undefined
  switch (packet.type) {
    case 'publish': {
      const { topicId, msgId, qos } = packet
      const { open, lastAcknowledged } = session.uplink
      // a QoS 2 message that is refused, while a copy of it waits or has arrived, would come again as a new one [SN-PUB-10]
      const mayBeKnown = open.has(msgId) || (packet.dup && lastAcknowledged?.msgId === msgId)
      const isRefusable = qos === 1 || (qos === 2 && !copiesMayWait)
      return !isRefusable || mayBeKnown ? undefined : { type: 'puback', topicId, msgId, returnCode }
    }
    case 'register':
      if (session.topics.byName.has(packet.topicName)) return undefined
      return { type: 'regack', topicId: 0, msgId: packet.msgId, returnCode }
    case 'subscribe': {
      const { msgId } = packet
      const { requests, lastAnswer } = session.subscribing
      if (requests.has(msgId) || lastAnswer?.request.msgId === msgId) return undefined
      return { type: 'suback', qos: 0, topicId: 0, msgId, returnCode }
    }
    case 'willtopicupd':
      return session.setup.willUpdate === undefined ? { type: 'willtopicresp', returnCode } : undefined
    case 'willmsgupd':
      return session.setup.willUpdate === undefined ? { type: 'willmsgresp', returnCode } : undefined
    default:
      return undefined
  }
}
