// Whom a message is for, before it is handled: somebody that it names, whoever is at its sender's address, or nobody in particular. Pure.

import { peekMsgType } from '../../codec/envelope.ts'
import { decodeFrame, MsgType } from '../../codec/v1/frame.ts'

const aboutGateways: ReadonlySet<number> = new Set([MsgType.searchgw, MsgType.advertise, MsgType.gwinfo])

/** Whether a message of this MsgType is about gateways and not about one sensor [6.1]. */
export const isAboutGateways = (type: number | undefined): boolean =>
  type !== undefined && aboutGateways.has(type)

/** The ClientId in a datagram whose message has this MsgType: of CONNECT, and of a PINGREQ that has one. */
export function clientIdIn(bytes: Uint8Array, type: number | undefined): string | undefined {
  if (type !== MsgType.connect && type !== MsgType.pingreq) return undefined
  const { packet } = decodeFrame(bytes)
  const isNamed = packet.type === 'connect' || packet.type === 'pingreq'
  return isNamed ? (packet.clientId ?? undefined) : undefined
}

/** Whether it can be handled by any gateway: what is about gateways, QoS -1, and what is no message [6.1, 6.8]. */
export function needsNoOwner(bytes: Uint8Array): boolean {
  if (isAboutGateways(peekMsgType(bytes))) return true
  const { packet } = decodeFrame(bytes)
  return packet.type === 'malformed' || (packet.type === 'publish' && packet.qos === -1)
}
