// The datagrams of a sensor, or of all, for who watches them live.

import { toWall } from '../clock.ts'
import { describeFrame } from '../codec/v1/describe.ts'
import type { Packet } from '../codec/v1/messages.ts'
import type { WatchedPacket } from '../console/contract/live.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Peer } from '../session/peers.ts'
import type { Session } from '../session/session.ts'
import { describePacket, type NameOf } from './sensors/recent-packets.ts'

const nameOf =
  (session: Session | undefined): NameOf =>
  (topicId, type) =>
    (type === 'normal' ? session?.topics : session?.policy.predefined)?.byId.get(topicId)

/** The topic name that a message's topic id stands for, as far as the session knows. */
export function topicOf(packet: Packet, session: Session | undefined): string | undefined {
  if ('topicName' in packet) return packet.topicName
  if (!('topicId' in packet) || session === undefined) return undefined
  const { byId } =
    'topicIdType' in packet && packet.topicIdType === 'predefined'
      ? session.policy.predefined
      : session.topics
  return byId.get(packet.topicId)
}

/** Calls back for every datagram of one sensor, or of all, until the returned function is called. */
export function watchPackets(
  gateway: Gateway,
  clientId: string | undefined,
  listener: (packet: WatchedPacket) => void,
): () => void {
  const report = (
    direction: WatchedPacket['direction'],
    packet: Packet,
    peer: Peer,
    session: Session | undefined,
    bytes: Uint8Array,
    repeated: boolean,
  ) => {
    const named = packet.type === 'connect' ? packet.clientId : session?.clientId
    if (clientId !== undefined && named !== clientId) return
    listener({
      at: toWall(performance.now()),
      direction,
      clientId: named,
      address: peer.address,
      port: peer.port,
      listener: peer.listener.name,
      bytes,
      type: packet.type.toUpperCase(),
      topic: topicOf(packet, session),
      ...describePacket(direction, packet, nameOf(session)),
      lines: describeFrame(bytes),
      repeated: repeated || ('dup' in packet && packet.dup),
    })
  }
  return gateway.observe({
    received: (packet, peer, session, bytes) => report('received', packet, peer, session, bytes, false),
    sent: (packet, peer, session, bytes, repeated) => report('sent', packet, peer, session, bytes, repeated),
  })
}
