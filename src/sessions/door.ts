// The door of all sessions: a decoded message from an address finds its session, or is a stranger's [5.3.1, 6.12].

import type { Packet } from '../codec/v1/messages.ts'
import type { Peer } from '../session/peers.ts'
import { renewLease } from '../session/record.ts'
import type { Session } from '../session/session.ts'
import { fromGateways, isLive } from '../session/states.ts'
import type { Turn } from '../session/turn.ts'
import { onConnectFrom, whyBarred } from './connect/takeover.ts'
import { dispatch } from './dispatch.ts'
import { onNamedPingreq } from './moved-address.ts'
import { onSearchgw, onStranger, onUnconnectedPublish, turnDown } from './strangers.ts'
import type { Sessions } from './table.ts'

export function receive(sessions: Sessions, packet: Packet, peer: Peer, turn: Turn): void {
  const known = sessions.byPeer.get(peer.key)
  if (known !== undefined && known.peer !== peer) {
    // behind a bridge from where its rule does not let it come
    if (known.peer?.address !== peer.address && packet.type !== 'connect') {
      const reason = whyBarred(known.policy, peer)
      if (reason !== undefined) return turnDown(peer, reason, 'not-allowed', turn, known.clientId)
    }
    known.peer = peer // it speaks to another address of the gateway now
  }
  if (packet.type === 'searchgw') return onSearchgw(sessions, packet.radius, peer, turn)
  if (known === undefined) return route(sessions, packet, peer, undefined, turn)
  known.heardAt = turn.now // any decodable message counts [SN-KA-2]
  route(sessions, packet, peer, known, turn)
  renewLease(known, turn) // also where nothing else came of it
}

function route(sessions: Sessions, packet: Packet, peer: Peer, known: Session | undefined, turn: Turn): void {
  if (fromGateways.has(packet.type)) {
    turn.out.push({ type: 'drop', reason: 'wrong-direction', session: known, peer })
    return
  }
  if (packet.type === 'connect') return onConnectFrom(sessions, packet, peer, turn)
  if (packet.type === 'pingreq' && packet.clientId !== null)
    return onNamedPingreq(sessions, packet, peer, turn)
  const isConnected = known !== undefined && isLive(known)
  if (packet.type === 'publish' && packet.qos === -1 && !isConnected) {
    return onUnconnectedPublish(sessions, packet, peer, turn)
  }
  if (known === undefined) return onStranger(sessions, packet, peer, turn)
  dispatch(sessions, known, { type: 'packet', packet, peer }, turn)
}
