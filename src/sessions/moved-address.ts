// PINGREQ with a ClientId, perhaps from another address than before: the session moves there, as far as roaming allows [6.14, AMB-21].

import type { Pingreq } from '../codec/v1/messages.ts'
import { stopWaiting } from '../session/downlink/ask.ts'
import { type Peer, sourceOf } from '../session/peers.ts'
import type { Session } from '../session/session.ts'
import { isLive } from '../session/states.ts'
import type { Turn } from '../session/turn.ts'
import { displaceSession, dropConnect, isContested, whyBarred } from './connect/takeover.ts'
import { dispatch } from './dispatch.ts'
import { refuseStranger } from './strangers.ts'
import { bindPeer, type Sessions } from './table.ts'

/** The ClientId decides, and may have moved to this address [SN-SLP-16, -17]. */
export function onNamedPingreq(sessions: Sessions, packet: Pingreq, peer: Peer, turn: Turn): void {
  const session = sessions.byClientId.get(packet.clientId ?? '')
  if (session?.peer === undefined) return refuseStranger(sessions, packet, peer, turn) // [SN-KA-7]
  if (session.peer.key !== peer.key) {
    if (!isLive(session) || !mayMove(session, session.peer, peer))
      return refuseStranger(sessions, packet, peer, turn)
    if (isContested(session, peer, turn))
      return dropConnect(peer, session.clientId, 'client-id-contested', turn)
    displaceSession(sessions, session.clientId, peer.key, turn)
    bindPeer(sessions, session, peer)
    turn.out.push({ type: 'saveProgress', session, lazy: true })
    stopWaiting(session) // what is open is sent anew, to where the sensor is now
  }
  dispatch(sessions, session, { type: 'packet', packet, peer }, turn)
}

function mayMove({ policy, identity }: Session, from: Peer, to: Peer): boolean {
  const { roaming } = to.listener
  if (whyBarred(policy, to) !== undefined) return false
  // who has proved to be the same may come from anywhere, and nobody else may take its place without a CONNECT
  if (identity !== undefined || to.association !== undefined) return identity === to.association?.identity
  if (roaming === 'off') return false
  if (roaming === 'any') return true
  return from.address === to.address && sourceOf(from) === sourceOf(to)
}
