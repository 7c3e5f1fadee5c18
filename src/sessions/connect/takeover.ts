// CONNECT decides by ClientId which session this is, whatever the address was before: takeovers by ClientId and by address [5.3.1].

import { type Connect, ReturnCode } from '../../codec/v1/messages.ts'
import { isClientId, octets } from '../../mqtt-topics.ts'
import { type Peer, type PeerKey, sourceOf } from '../../session/peers.ts'
import type { Policy, Who } from '../../session/policy.ts'
import type { RefusalReason } from '../../session/refusal.ts'
import { createSession, type Session } from '../../session/session.ts'
import type { Turn } from '../../session/turn.ts'
import { dispatch } from '../dispatch.ts'
import { bindPeer, type Sessions } from '../table.ts'
import { allow } from '../throttle.ts'
import { type AdmissionAnswer, askAdmission, takeAdmitting } from './admission.ts'
import { isNameTaken, noteName } from './broker-names.ts'
import { makeRoomFor } from './room.ts'

/** CONNECT from any address [SN-CONN-11, -12]. */
export function onConnectFrom(sessions: Sessions, packet: Connect, peer: Peer, turn: Turn): void {
  const { clientId } = packet
  const { connectsPerAddress: rate } = turn.env.settings.limits
  if (!allow(sessions.rates.connect, sourceOf(peer), rate, rate, turn.now)) {
    dropConnect(peer, clientId, 'too-many-connects', turn)
    return
  }
  const impossible = whyImpossible(packet, turn)
  if (impossible !== undefined) return reject(peer, clientId, impossible, ReturnCode.notSupported, turn)
  if (turn.env.settings.asksAdmission) return askAdmission(sessions, packet, peer, turn)
  letIn(sessions, packet, peer, undefined, turn)
}

/** What the question whether a sensor may be here was answered. */
export function onAdmission(sessions: Sessions, answered: AdmissionAnswer, turn: Turn): void {
  const waiting = takeAdmitting(sessions, answered)
  if (waiting === undefined) return
  const { packet, peer } = waiting
  const { answer } = answered
  if (answer.verdict === 'allow') return letIn(sessions, packet, peer, answer.rule, turn)
  const isLater = answer.verdict === 'later'
  const reason = isLater ? 'admission-unavailable' : 'not-admitted'
  const returnCode = isLater ? ReturnCode.congestion : ReturnCode.notSupported
  reject(peer, packet.clientId, reason, returnCode, turn, answer.detail)
}

/** `rule`: the one that an admission has named. */
function letIn(sessions: Sessions, packet: Connect, peer: Peer, rule: string | undefined, turn: Turn): void {
  const { clientId } = packet
  const existing = sessions.byClientId.get(clientId)
  const who: Who = { clientId, identity: peer.association?.identity, rule }
  const policy = turn.env.policyFor(who)
  const barred = whyBarred(policy, peer)
  if (barred !== undefined) return reject(peer, clientId, barred, ReturnCode.notSupported, turn)
  if (existing !== undefined && isContested(existing, peer, turn)) {
    dropConnect(peer, clientId, 'client-id-contested', turn)
    return
  }
  if (isNameTaken(sessions, who, turn)) {
    turn.out.push({ type: 'drop', reason: 'name-taken', session: undefined, peer })
    return reject(peer, clientId, 'client-id-reserved', ReturnCode.notSupported, turn)
  }
  displaceSession(sessions, clientId, peer.key, turn)
  const full = existing === undefined ? makeRoomFor(sessions, peer, turn) : undefined
  if (full !== undefined) return reject(peer, clientId, full, ReturnCode.congestion, turn) // [SN-CONN-19]
  const session = existing ?? createSession(clientId, turn.env, who)
  Object.assign(session, { identity: who.identity, rule, policy })
  if (existing === undefined) sessions.byClientId.set(clientId, session)
  noteName(sessions, who, turn)
  const hasMoved = session.peer?.key !== peer.key
  if (session.peer !== undefined && hasMoved && session.state !== 'asleep') {
    turn.out.push({ type: 'send', peer: session.peer, packet: { type: 'disconnect', duration: null } }) // [SN-CONN-11]
  }
  bindPeer(sessions, session, peer)
  if (hasMoved) session.setup.fresh = false // from another address it is no repetition
  dispatch(sessions, session, { type: 'packet', packet, peer }, turn)
}

/** Why its rule does not let a sensor of this address and identity have its ClientId [SN-ROB-2]. */
export function whyBarred(policy: Policy, { address, nodeId, association }: Peer): RefusalReason | undefined {
  if (policy.denied) return 'denied'
  if (!policy.mayComeFrom(address, nodeId)) return 'wrong-address'
  return policy.mayBe(association?.identity) ? undefined : 'wrong-identity'
}

/** Why nobody may connect like that [SN-CONN-5, -6, -8, SN-FLD-3]. */
function whyImpossible({ protocolId, clientId }: Connect, { env }: Turn): RefusalReason | undefined {
  if (protocolId !== 1) return 'wrong-protocol'
  if (clientId === '') return 'client-id-empty'
  if (octets(clientId) > env.settings.limits.clientIdLength) return 'client-id-too-long'
  return isClientId(clientId) ? undefined : 'client-id-impossible'
}

function reject(
  peer: Peer,
  clientId: string,
  reason: RefusalReason,
  returnCode: ReturnCode,
  { out }: Turn,
  detail?: string,
): void {
  out.push({ type: 'send', peer, packet: { type: 'connack', returnCode } })
  const more = detail === undefined ? {} : { detail }
  out.push({ type: 'refused', refusal: { reason, peer, clientId, returnCode, ...more } })
}

/** A CONNECT without an answer: its sensor repeats it after T_retry, and one that is in a loop slows down by that. */
export function dropConnect(peer: Peer, clientId: string, reason: RefusalReason, { out }: Turn): void {
  out.push({ type: 'drop', reason: 'rate-limited', session: undefined, refusal: { reason, peer, clientId } })
}

/** Milliseconds in which a session moves to another address once. A sensor that reboots, or whose address changes, moves once. */
const ONE_MOVE = 1000

/** Back at the address before, within so many milliseconds: that is a second device rather than one that moves. */
const BACK = 60_000

/**
 * Whether another device is contending for this session: it has just moved to where it is, and may not move again yet.
 * The devices would take it from each other as fast as their messages travel. Notes a move that may take place.
 */
export function isContested(session: Session, peer: Peer, { now, out }: Turn): boolean {
  const { peer: holder, movedFrom } = session
  if (holder === undefined || holder.key === peer.key) return false
  const age = movedFrom === undefined ? Number.POSITIVE_INFINITY : now - movedFrom.at
  const isTooSoon = age < ONE_MOVE
  if (isTooSoon || (age < BACK && movedFrom?.peer.key === peer.key))
    out.push({ type: 'contested', session, peer, other: holder })
  if (!isTooSoon) session.movedFrom = { peer: holder, at: now }
  return isTooSoon
}

/** Another sensor was at this address: it is not there any more, and counts as lost [SN-CONN-12]. */
export function displaceSession(sessions: Sessions, clientId: string, at: PeerKey, turn: Turn): void {
  const other = sessions.byPeer.get(at)
  if (other === undefined || other.clientId === clientId) return
  dispatch(sessions, other, { type: 'displaced', by: clientId }, turn)
}
