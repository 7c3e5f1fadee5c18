// While the store cannot write: what needs it is refused at the door, so that nobody waits in silence; all else passes.

import type { Packet } from '../codec/v1/messages.ts'
import type { Peer } from '../session/peers.ts'
import type { Session } from '../session/session.ts'
import { isLive } from '../session/states.ts'
import type { Turn } from '../session/turn.ts'
import { receive } from './door.ts'
import { refuseFor } from './overload.ts'
import type { Sessions } from './table.ts'

/** Instead of `receive`, while the store is failing. */
export function receiveWithoutStore(sessions: Sessions, packet: Packet, peer: Peer, turn: Turn): void {
  if (needsStore(packet, sessions.byPeer.get(peer.key)))
    refuseFor('store-failing', sessions, packet, peer, turn)
  else receive(sessions, packet, peer, turn)
}

/** Whether its answer would have to wait for a write. A repetition of what was accepted gets the answer that it got. */
function needsStore(packet: Packet, session: Session | undefined): boolean {
  if (packet.type === 'connect') return true
  if (session === undefined || !isLive(session)) return false
  switch (packet.type) {
    case 'publish': {
      const { open, lastAcknowledged } = session.uplink
      const { qos, msgId, dup } = packet
      if (qos < 1 || open.has(msgId) || (dup && qos === 1 && lastAcknowledged?.msgId === msgId)) return false
      return qos === 2 || session.policy.ack === 'store'
    }
    case 'register':
      return !session.topics.byName.has(packet.topicName)
    case 'subscribe': {
      const { requests, lastAnswer } = session.subscribing
      return !requests.has(packet.msgId) && lastAnswer?.request.msgId !== packet.msgId
    }
    case 'willtopicupd':
    case 'willmsgupd':
      return true
    default:
      return false
  }
}
