// Messages from addresses without a connection: told to connect, met with silence, or good as they are; and how often such
// senders are answered [5.4.21, 6.1, 6.8].

import { type Packet, type Publish, ReturnCode } from '../codec/v1/messages.ts'
import { matches } from '../mqtt-topics.ts'
import type { DropReason } from '../session/events.ts'
import { type Peer, sourceOf } from '../session/peers.ts'
import { type RefusalReason, reasonForTopic } from '../session/refusal.ts'
import { verdict } from '../session/states.ts'
import { permitsTopic } from '../session/topics/permission.ts'
import { topicOfPublish } from '../session/topics/topic-names.ts'
import type { Turn } from '../session/turn.ts'
import type { Sessions } from './table.ts'
import { allow } from './throttle.ts'

function discard(peer: Peer, reason: DropReason, { out }: Turn): void {
  out.push({ type: 'drop', reason, session: undefined, peer })
}

/** Drops what comes from there, and tells why. */
export function turnDown(
  peer: Peer,
  reason: RefusalReason,
  counted: DropReason,
  { out }: Turn,
  clientId?: string,
): void {
  out.push({ type: 'drop', reason: counted, session: undefined, refusal: { reason, peer, clientId } })
}

/** Answers to senders without a connection are limited per address, and per address and port [SN-UNK-3, SN-ROB-3]. */
export function mayReply(sessions: Sessions, peer: Peer, burst: number, { env, now }: Turn): boolean {
  const { repliesPerAddress, repliesPerPeer } = env.settings.limits
  const { reply } = sessions.rates
  return (
    allow(reply, `peer ${peer.key}`, repliesPerPeer, burst, now) &&
    allow(reply, sourceOf(peer), repliesPerAddress, repliesPerAddress, now)
  )
}

/** Any sender may search a gateway, in any state [SN-SGW-1, -4]. */
export function onSearchgw(sessions: Sessions, radius: number, peer: Peer, turn: Turn): void {
  if (!mayReply(sessions, peer, 3, turn)) return turnDown(peer, 'too-many-answers', 'rate-limited', turn)
  turn.out.push({ type: 'gwinfo', peer, radius })
}

/** A request without a connection is told to connect; anything else is met with silence [SN-UNK-1, -2]. */
export function onStranger(sessions: Sessions, packet: Packet, peer: Peer, turn: Turn): void {
  const judged = verdict('disconnected', packet.type)
  if (judged === 'refuse' || packet.type === 'disconnect') refuseStranger(sessions, packet, peer, turn)
  else discard(peer, judged === 'unasked' ? 'unasked' : 'out-of-state', turn)
}

/** DISCONNECT, so that the sensor connects again. */
export function refuseStranger(sessions: Sessions, packet: Packet, peer: Peer, turn: Turn): void {
  const clientId = packet.type === 'pingreq' ? (packet.clientId ?? undefined) : undefined
  if (packet.type !== 'disconnect') turnDown(peer, 'unknown-sender', 'unknown-sender', turn, clientId)
  const burst = packet.type === 'disconnect' ? 1 : 3 // two gateways must not bounce DISCONNECTs [SN-DISC-4]
  if (!mayReply(sessions, peer, burst, turn)) return turnDown(peer, 'too-many-answers', 'rate-limited', turn)
  turn.out.push({ type: 'send', peer, packet: { type: 'disconnect', duration: null } })
}

/** Without a connection there is no ClientId; who has proved an identity has the rights of a sensor of that name. */
const mayPublishAs = (identity: string | undefined, topic: string, { env }: Turn): boolean =>
  identity === undefined || permitsTopic(env.policyFor({ clientId: identity, identity }).publish, topic)

/** QoS -1 needs no connection, and never gets an answer [6.8]. */
export function onUnconnectedPublish(sessions: Sessions, packet: Publish, peer: Peer, turn: Turn): void {
  const { predefined, qosMinusOne } = turn.env.settings
  const topic = packet.topicIdType === 'normal' ? undefined : topicOfPublish(packet, undefined, predefined)
  if (!qosMinusOne.enabled) return turnDown(peer, 'qos-minus-one-off', 'not-allowed', turn)
  if (typeof topic !== 'string')
    return turnDown(peer, reasonForTopic(topic ?? ReturnCode.notSupported), 'invalid-topic', turn)
  if (!qosMinusOne.mayComeFrom(peer.address, peer.nodeId))
    return turnDown(peer, 'qos-minus-one-source', 'not-allowed', turn)
  if (!mayPublishAs(peer.association?.identity, topic, turn))
    return turnDown(peer, 'topic-not-permitted', 'not-allowed', turn)
  if (!qosMinusOne.topics.some((filter) => matches(filter, topic)))
    return turnDown(peer, 'qos-minus-one-topic', 'not-allowed', turn)
  const { perAddress } = qosMinusOne
  if (!allow(sessions.rates.anonymous, sourceOf(peer), perAddress, perAddress, turn.now)) {
    return turnDown(peer, 'qos-minus-one-rate', 'rate-limited', turn) // [SN-QM1-9]
  }
  const retain = packet.retain && qosMinusOne.retain // [SN-QM1-6]
  turn.out.push({ type: 'publishAnonymous', topic, payload: packet.data, retain, peer })
}
