// The forwarder encapsulation [5.5]: Length, MsgType 0xfe, Ctrl and the wireless node id stand in front of a message. Looking
// through it allocates nothing and never throws. Pure.

import { msgTypeAt } from './header.ts'

/** MsgType of an encapsulated message [5.5]. */
export const ENCAPSULATED = 0xfe
/** Length, MsgType and Ctrl stand before the wireless node id. */
const CTRL_HEADER = 3
/** The bits of Ctrl that hold the broadcast radius. */
const RADIUS = 3

/** Octets of the longest wireless node id: the Length of an encapsulation is always one octet [SN-FWD-1]. */
export const LONGEST_NODE_ID = 255 - CTRL_HEADER

/** What a forwarder has put in front of a message. */
export interface Envelope {
  /** the wireless node id, a view into the datagram */
  readonly nodeId: Uint8Array
  /** Ctrl's broadcast radius, 0 to 3; without meaning on the way to the gateway */
  readonly radius: number
  /** where the message begins */
  readonly start: number
}

/** Octets that the encapsulation for a node id of so many octets puts in front of a message. */
export function encapsulationLength(nodeIdOctets: number): number {
  return CTRL_HEADER + nodeIdOctets
}

/** Whether a datagram says that it is an encapsulation, possible or not. */
export function isEncapsulated(bytes: Uint8Array): boolean {
  return msgTypeAt(bytes) === ENCAPSULATED
}

/**
 * Where the message in a datagram begins: 0 if it is bare. Undefined for an impossible encapsulation: one whose Length is not
 * one octet, without a node id, or without a message behind it [SN-FWD-1, SN-FWD-8].
 */
export function messageStart(bytes: Uint8Array): number | undefined {
  if (!isEncapsulated(bytes)) return 0
  // A long Length begins with 1, which is too short as well. It counts up to the end of the node id.
  const length = bytes[0] ?? 0
  return length <= CTRL_HEADER || length >= bytes.length ? undefined : length
}

/**
 * MsgType of the message in a datagram, bare or in one encapsulation; known or not. Undefined if there is none, or if the
 * encapsulation is impossible.
 */
export function peekMsgType(bytes: Uint8Array): number | undefined {
  const start = messageStart(bytes)
  return start === undefined ? undefined : msgTypeAt(bytes, start)
}

/** Takes the encapsulation off a datagram; undefined if it has none, or an impossible one. */
export function unwrapMessage(bytes: Uint8Array): Envelope | undefined {
  const start = messageStart(bytes)
  if (start === undefined || start === 0) return undefined
  return { nodeId: bytes.subarray(CTRL_HEADER, start), radius: (bytes[2] ?? 0) & RADIUS, start }
}

/**
 * Writes an encapsulation so that it ends before `start`, where the message begins. Throws RangeError for a node id that has
 * not 1 to 252 octets, or a radius that is not 0 to 3.
 * @returns where the datagram begins now
 */
export function wrapMessage(bytes: Uint8Array, start: number, nodeId: Uint8Array, radius: number): number {
  if (nodeId.length < 1 || nodeId.length > LONGEST_NODE_ID) {
    throw new RangeError(`a node id has 1 to ${LONGEST_NODE_ID} octets, not ${nodeId.length}`)
  }
  if (radius !== 0 && radius !== 1 && radius !== 2 && radius !== 3) {
    throw new RangeError(`an encapsulation's radius is 0 to 3, not ${radius}`)
  }
  const length = encapsulationLength(nodeId.length)
  const begin = start - length
  bytes[begin] = length
  bytes[begin + 1] = ENCAPSULATED
  bytes[begin + 2] = radius
  bytes.set(nodeId, begin + CTRL_HEADER)
  return begin
}
