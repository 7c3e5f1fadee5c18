// From datagrams to packets and back: the length header [5.2.1], the message type [5.2.2] and the forwarder
// encapsulation [5.5]. Pure. This is the entry point `mqtt-sn-gateway/codec`.

import { Reader, Writer } from '../cursor.ts'
import type { Values } from '../fields.ts'
import { type Layout, layouts } from './layouts.ts'
import { type Malformed, type MalformedReason, MsgType, type Packet, type PacketType } from './messages.ts'

export { isUtf8 } from '../text.ts'
export * from './messages.ts'

/** MsgType of an encapsulated message [5.5]. */
const ENCAPSULATED = 0xfe
/** Length, MsgType and Ctrl stand before the wireless node id. */
const CTRL_HEADER = 3
const LONGEST_NODE_ID = 255 - CTRL_HEADER
/** The largest total that the 3-octet Length can express. */
const LONGEST_MESSAGE = 65535

/** One datagram, taken apart. */
export interface Frame {
  packet: Packet | Malformed
  /** the wireless node id if a forwarder sent it, a view into the datagram; undefined otherwise */
  nodeId: Uint8Array | undefined
  /** Ctrl's broadcast radius, 0 without encapsulation; without meaning on the way to the gateway */
  radius: number
}

/**
 * Decodes one bare message of exactly these octets. Never throws: impossible input is a `Malformed` value.
 */
export function decode(bytes: Uint8Array): Packet | Malformed {
  return decodeFrom(bytes, 0)
}

/** Decodes one datagram: a message, bare or in one forwarder encapsulation. Never throws. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const length = bytes[0]
  if (bytes[length === 1 ? 3 : 1] !== ENCAPSULATED) {
    return { packet: decodeFrom(bytes, 0), nodeId: undefined, radius: 0 }
  }
  // This Length is always one octet and counts up to the end of the node id [SN-FWD-1, SN-FWD-8].
  if (length === undefined || length <= CTRL_HEADER || length >= bytes.length) {
    return { packet: MALFORMED.encapsulation, nodeId: undefined, radius: 0 }
  }
  const nodeId = bytes.subarray(CTRL_HEADER, length)
  return { packet: decodeFrom(bytes, length), nodeId, radius: (bytes[2] ?? 0) & 3 }
}

/**
 * Encodes one bare message with the shortest Length and with unused bits 0, into octets of its own.
 * Throws RangeError for a value that its field cannot hold, or a message above 65535 octets.
 */
export function encode(packet: Packet): Uint8Array {
  return encodeFrame(packet)
}

/**
 * Encodes one datagram: the message, encapsulated for a forwarder if there is a `nodeId` (1 to 252 octets).
 * `radius` (0 to 3) is how far the forwarder broadcasts it, 0 = to this node only. Throws like `encode`.
 */
export function encodeFrame(packet: Packet, nodeId?: Uint8Array, radius = 0): Uint8Array {
  writer.at = BODY
  writeBody(packet, writer)
  const header = headerLength(writer.at - BODY)
  const total = header + writer.at - BODY
  let start = BODY - header
  scratch[BODY - 1] = MsgType[packet.type]
  if (header === 2) {
    scratch[start] = total
  } else {
    scratch[start] = 1
    scratch[start + 1] = total >> 8
    scratch[start + 2] = total
  }
  if (nodeId !== undefined) {
    if (nodeId.length < 1 || nodeId.length > LONGEST_NODE_ID) {
      throw new RangeError(`a node id has 1 to ${LONGEST_NODE_ID} octets, not ${nodeId.length}`)
    }
    if (radius !== 0 && radius !== 1 && radius !== 2 && radius !== 3) {
      throw new RangeError(`an encapsulation's radius is 0 to 3, not ${radius}`)
    }
    start -= encapsulationLength(nodeId.length)
    scratch[start] = encapsulationLength(nodeId.length)
    scratch[start + 1] = ENCAPSULATED
    scratch[start + 2] = radius
    scratch.set(nodeId, start + CTRL_HEADER)
  }
  return scratch.slice(start, writer.at)
}

/** Octets of a PUBLISH with so many octets of data, Length field included. */
export function publishLength(dataOctets: number): number {
  return headerLength(5 + dataOctets) + 5 + dataOctets
}

/** Octets of a REGISTER with a topic name of so many octets of UTF-8, Length field included. */
export function registerLength(nameOctets: number): number {
  return headerLength(4 + nameOctets) + 4 + nameOctets
}

/** Octets that the encapsulation for a node id of so many octets puts in front of a message. */
export function encapsulationLength(nodeIdOctets: number): number {
  return CTRL_HEADER + nodeIdOctets
}

/** Where the variable part is built: the header and an encapsulation are then put in front of it. */
const BODY = 4 + encapsulationLength(LONGEST_NODE_ID)
/** Shared by all calls, since allocating the largest size for each would cost more than all the rest. */
const scratch = new Uint8Array(BODY + LONGEST_MESSAGE - 4)
const writer = new Writer(scratch)

/** One value for each reason, so that refusing costs no allocation. */
const MALFORMED: { readonly [Reason in MalformedReason]: Malformed } = {
  empty: malformed('empty'),
  length: malformed('length'),
  truncated: malformed('truncated'),
  surplus: malformed('surplus'),
  'unknown-type': malformed('unknown-type'),
  encapsulation: malformed('encapsulation'),
}

function malformed(reason: MalformedReason): Malformed {
  return Object.freeze({ type: 'malformed', reason })
}

/** Type and layout by MsgType code. */
const byCode: ({ type: PacketType; layout: Layout } | undefined)[] = new Array(256).fill(undefined)
for (const type of Object.keys(MsgType) as PacketType[])
  byCode[MsgType[type]] = { type, layout: layouts[type] }

function decodeFrom(bytes: Uint8Array, start: number): Packet | Malformed {
  const size = bytes.length - start
  if (size === 0) return MALFORMED.empty
  const first = bytes[start] ?? 0
  // The form follows from the first octet alone: the 3-octet form may hold any total [SN-LEN-4].
  const header = first === 1 ? 4 : 2
  const code = bytes[start + header - 1] ?? 0
  if (code === ENCAPSULATED) return MALFORMED.encapsulation
  const total = first === 1 ? ((bytes[start + 1] ?? 0) << 8) | (bytes[start + 2] ?? 0) : first
  if (total !== size || total < header) return MALFORMED.length
  const message = byCode[code]
  if (message === undefined) return MALFORMED['unknown-type']

  const { fields, absent } = message.layout
  if (absent !== undefined && total === header) return { type: message.type, ...absent } as Packet
  const packet: Values = { type: message.type }
  const reader = new Reader(bytes, start + header)
  for (const field of fields) field.read(packet, reader)
  if (reader.left !== 0) return reader.left < 0 ? MALFORMED.truncated : MALFORMED.surplus
  return packet as unknown as Packet
}

function writeBody(packet: Packet, to: Writer): void {
  const { fields, absent }: Layout = layouts[packet.type]
  const values = packet as unknown as Values
  for (const name in absent) if (absent[name] === null && values[name] === null) return
  for (const field of fields) field.write(values, to)
}

/** The shortest form is one octet of Length up to a total of 255 [SN-LEN-5]. */
function headerLength(bodyOctets: number): 2 | 4 {
  return bodyOctets + 2 <= 255 ? 2 : 4
}
