// From datagrams to packets and back [5.2, 5.4, 5.5]. Pure. Its public face is library/codec.ts.

import { Reader, Writer } from '../cursor.ts'
import {
  ENCAPSULATED,
  encapsulationLength,
  isEncapsulated,
  LONGEST_NODE_ID,
  unwrapMessage,
  wrapMessage,
} from '../envelope.ts'
import type { Values } from '../fields.ts'
import {
  headerLength,
  LONGEST_HEADER,
  LONGEST_MESSAGE,
  messageLength,
  msgTypeAt,
  statedLength,
  writeHeader,
} from '../header.ts'
import { type Layout, layouts } from './layouts.ts'
import { type Malformed, type MalformedReason, MsgType, type Packet, type PacketType } from './messages.ts'

export { encapsulationLength } from '../envelope.ts'
export { isUtf8 } from '../text.ts'
export * from './messages.ts'

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
  if (!isEncapsulated(bytes)) return { packet: decodeFrom(bytes, 0), nodeId: undefined, radius: 0 }
  const envelope = unwrapMessage(bytes)
  if (envelope === undefined) return { packet: MALFORMED.encapsulation, nodeId: undefined, radius: 0 }
  const { nodeId, radius, start } = envelope
  return { packet: decodeFrom(bytes, start), nodeId, radius }
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
  const message = writeHeader(scratch, MsgType[packet.type], BODY, writer.at)
  const start = nodeId === undefined ? message : wrapMessage(scratch, message, nodeId, radius)
  return scratch.slice(start, writer.at)
}

/** Octets of a PUBLISH with so many octets of data, Length field included. */
export function publishLength(dataOctets: number): number {
  return messageLength(5 + dataOctets)
}

/** Octets of a REGISTER with a topic name of so many octets of UTF-8, Length field included. */
export function registerLength(nameOctets: number): number {
  return messageLength(4 + nameOctets)
}

/** Where the variable part is built: the header and an encapsulation are then put in front of it. */
const BODY = LONGEST_HEADER + encapsulationLength(LONGEST_NODE_ID)
/** Shared by all calls, since allocating the largest size for each would cost more than all the rest. */
const scratch = new Uint8Array(BODY + LONGEST_MESSAGE - LONGEST_HEADER)
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
  const header = headerLength(bytes, start)
  const code = msgTypeAt(bytes, start) ?? 0
  if (code === ENCAPSULATED) return MALFORMED.encapsulation
  const total = statedLength(bytes, start)
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
