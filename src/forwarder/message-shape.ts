// What a forwarder looks at of a message: whether it is whole, encapsulated or not, and whether anybody repeats it.

import { ENCAPSULATED, encapsulationLength, messageStart, wrapMessage } from '../codec/envelope.ts'
import { headerLength, msgTypeAt, statedLength } from '../codec/header.ts'
import { MsgType } from '../codec/v1/messages.ts'
import type { ForwardDrop } from './books.ts'

/** The bits of a PUBLISH's flags that hold its QoS: without an acknowledgement nobody repeats it. */
const QOS = 0x60

/** What is wrong with a datagram, as far as a forwarder looks at it; a message may be of any type. */
export function faultOf(
  bytes: Uint8Array,
  wanted: 'bare' | 'encapsulated' | 'either',
  start = 0,
): ForwardDrop | undefined {
  const size = bytes.length - start
  if (size === 0) return 'malformed: empty'
  const isInside = msgTypeAt(bytes, start) === ENCAPSULATED
  if (isInside) {
    const inner = start === 0 ? messageStart(bytes) : undefined
    if (wanted === 'bare' || inner === undefined) return 'malformed: encapsulation'
    return faultOf(bytes, 'bare', inner)
  }
  if (wanted === 'encapsulated') return 'malformed: encapsulation'
  const total = statedLength(bytes, start)
  return total === size && total >= headerLength(bytes, start) ? undefined : 'malformed: length'
}

/** For a link whose nodes are behind a head of their own. */
export function encapsulate(message: Uint8Array, nodeId: Uint8Array, radius: number): Uint8Array {
  const begin = encapsulationLength(nodeId.length)
  const bytes = new Uint8Array(begin + message.length)
  wrapMessage(bytes, begin, nodeId, radius)
  bytes.set(message, begin)
  return bytes
}

/** PUBLISH without an acknowledgement. */
export function isUnrepeated(message: Uint8Array): boolean {
  if (msgTypeAt(message) !== MsgType.publish) return false
  const qos = (message[headerLength(message)] ?? 0) & QOS
  return qos === 0 || qos === QOS
}
