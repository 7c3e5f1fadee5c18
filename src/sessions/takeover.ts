// CONNECT decides by ClientId which session this is, whatever the address was before: takeovers by ClientId and by address [5.3.1].

import { type Connect, ReturnCode } from '../codec/v1/messages.ts'
import { isClientId, octets } from '../mqtt-topics.ts'
import { type Peer, type PeerKey, sourceOf } from '../session/peers.ts'
import { createSession } from '../session/session.ts'
import type { Turn } from '../session/turn.ts'
import { isNameTaken, noteName } from './broker-names.ts'
import { dispatch } from './dispatch.ts'
import { bindPeer, type Sessions } from './table.ts'
import { allow } from './throttle.ts'

/** CONNECT from any address [SN-CONN-11, -12]. */
export function onConnectFrom(sessions: Sessions, packet: Connect, peer: Peer, turn: Turn): void {
  const { limits } = turn.env.settings
  const { connectsPerAddress: rate } = limits
  if (!allow(sessions.rates.connect, sourceOf(peer), rate, rate, turn.now)) {
    turn.out.push({ type: 'drop', reason: 'rate-limited', session: undefined })
    return
  }
  const reject = (returnCode: ReturnCode) =>
    turn.out.push({ type: 'send', peer, packet: { type: 'connack', returnCode } })
  const { clientId } = packet
  if (packet.protocolId !== 1 || !isClientId(clientId) || octets(clientId) > limits.clientIdLength) {
    reject(ReturnCode.notSupported) // [SN-CONN-5, -6, -8, SN-FLD-3]
    return
  }
  const existing = sessions.byClientId.get(clientId)
  const policy = existing?.policy ?? turn.env.policyFor(clientId)
  if (policy.denied || !policy.mayComeFrom(peer.address)) {
    reject(ReturnCode.notSupported) // [SN-ROB-2]
    return
  }
  if (isNameTaken(sessions, clientId, turn)) {
    turn.out.push({ type: 'drop', reason: 'name-taken', session: undefined })
    reject(ReturnCode.notSupported)
    return
  }
  displaceSession(sessions, clientId, peer.key, turn)
  if (existing === undefined && sessions.byClientId.size >= limits.sensors) {
    reject(ReturnCode.congestion) // [SN-CONN-19]
    return
  }
  const session = existing ?? createSession(clientId, turn.env)
  if (existing === undefined) sessions.byClientId.set(clientId, session)
  noteName(sessions, clientId, turn)
  const hasMoved = session.peer?.key !== peer.key
  if (session.peer !== undefined && hasMoved && session.state !== 'asleep') {
    turn.out.push({ type: 'send', peer: session.peer, packet: { type: 'disconnect', duration: null } }) // [SN-CONN-11]
  }
  bindPeer(sessions, session, peer)
  if (hasMoved) session.setup.fresh = false // from another address it is no repetition
  dispatch(sessions, session, { type: 'packet', packet, peer }, turn)
}

/** Another sensor was at this address: it is not there any more, and counts as lost [SN-CONN-12]. */
export function displaceSession(sessions: Sessions, clientId: string, at: PeerKey, turn: Turn): void {
  const other = sessions.byPeer.get(at)
  if (other === undefined || other.clientId === clientId) return
  dispatch(sessions, other, { type: 'displaced', by: clientId }, turn)
}
