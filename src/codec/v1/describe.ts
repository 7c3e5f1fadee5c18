// A datagram as lines that a person can read: every field with its octets and its meaning, and for what is
// not a message the reason in plain words [5]. Pure.

import { Reader, Writer } from '../cursor.ts'
import { encapsulationLength, messageStart } from '../envelope.ts'
import type { Field, Values } from '../fields.ts'
import { hasLongLength, headerLength, msgTypeAt, shortestHeader, statedLength } from '../header.ts'
import { decodeFrame, type Frame } from './frame.ts'
import { type Layout, layouts } from './layouts.ts'
import { absences, clauses, meaning, nameOfCode } from './meaning.ts'
import type { Malformed, MalformedReason, Packet, PacketType } from './messages.ts'

/** So many octets of a field are shown; the rest is only counted. */
const SHOWN = 32

/** One field: its name in the specification, its octets, what they say. */
interface Line {
  label: string
  octets: Uint8Array
  says: string
}

/**
 * Explains one datagram as indented lines, the first a title. Never throws; malformed input is explained as
 * well.
 */
export function describeFrame(bytes: Uint8Array): string[] {
  const frame = decodeFrame(bytes)
  const message = messageOf(bytes)
  const lines = describeMessage(message, frame)
  if (frame.nodeId === undefined) return lines
  const header = [
    {
      label: 'Length',
      octets: bytes.subarray(0, 1),
      says: `${bytes[0]} octets up to the end of the node id`,
    },
    { label: 'MsgType', octets: bytes.subarray(1, 2), says: 'encapsulated message' },
    { label: 'Ctrl', octets: bytes.subarray(2, 3), says: `broadcast radius ${frame.radius}` },
    { label: 'WirelessNodeId', octets: frame.nodeId, says: count(frame.nodeId.length) },
  ]
  return ['encapsulated by a forwarder [5.5]', ...table(header), ...lines.map((line) => `  ${line}`)]
}

/**
 * Why a datagram is malformed, in plain words; undefined if it is not. `frame` is what `decodeFrame(bytes)`
 * said.
 */
export function explainMalformed(bytes: Uint8Array, frame: Frame): string | undefined {
  return frame.packet.type === 'malformed'
    ? explain(messageOf(bytes), frame.packet.reason, frame.nodeId !== undefined)
    : undefined
}

/**
 * One packet in one line, for traces: `PUBLISH QoS 1, topicId 5 (predefined), msgId 7, data "on" (2 octets)`.
 */
export function summarize(packet: Packet | Malformed): string {
  if (packet.type === 'malformed') return `malformed (${packet.reason})`
  const name = packet.type.toUpperCase()
  const words: string[] = []
  for (const [property, value] of Object.entries(packet)) {
    if (value === null) return `${name} ${absences[packet.type]}`
    const says = property === 'type' || property === 'topicIdType' ? undefined : meaning(packet, property)
    if (says !== undefined) words.push(property === 'qos' || value === true ? says : `${property} ${says}`)
  }
  return words.length === 0 ? name : `${name} ${words.join(', ')}`
}

/** The message without its encapsulation. */
function messageOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(messageStart(bytes) ?? 0)
}

function explain(bytes: Uint8Array, reason: MalformedReason, nested: boolean): string {
  const size = bytes.length
  const code = msgTypeAt(bytes) ?? 0
  const name = nameOfCode(code) ?? ''
  switch (reason) {
    case 'empty':
      return 'there are no octets'
    case 'length':
      return explainLength(bytes)
    case 'truncated': {
      const last = walk(bytes).at(-1)
      return `${name} ends ${last?.octets.length === 0 ? 'before' : 'inside'} its field ${last?.label}`
    }
    case 'surplus':
      return `${name} goes on after its last field`
    case 'unknown-type':
      return `MsgType 0x${hex(Uint8Array.of(code))} is reserved [5.2.2]`
    case 'encapsulation':
      if (nested) return 'an encapsulation holds another one [5.5]'
      if (hasLongLength(bytes)) return 'an encapsulation has a Length of one octet [5.5]'
      if ((bytes[0] ?? 0) < encapsulationLength(1)) return 'the encapsulation has no wireless node id [5.5]'
      if (bytes[0] === size) return 'no message follows the encapsulation [5.5]'
      return `the encapsulation's Length is ${bytes[0]}, but ${count(size)} arrived [5.5]`
  }
}

function explainLength(bytes: Uint8Array): string {
  const size = bytes.length
  if (bytes[0] === 0) return 'Length 0 is impossible, since it counts itself [5.2.1]'
  if (hasLongLength(bytes) && size < 4) return 'the 3-octet Length and the MsgType are cut off [5.2.1]'
  return `Length says ${statedLength(bytes)}, but ${count(size)} arrived: a datagram holds exactly one message [5.2.1]`
}

function describeMessage(bytes: Uint8Array, { packet, nodeId }: Frame): string[] {
  if (packet.type === 'malformed') {
    const fields = packet.reason === 'truncated' || packet.reason === 'surplus' ? walk(bytes) : raw(bytes)
    return [
      `malformed (${packet.reason}): ${explain(bytes, packet.reason, nodeId !== undefined)}`,
      ...table(fields),
    ]
  }
  const absent = bytes.length === headerLength(bytes) ? absences[packet.type] : undefined
  const title = `${packet.type.toUpperCase()} [${clauses[packet.type]}], ${count(bytes.length)}`
  return [absent === undefined ? title : `${title}, ${absent}`, ...table(walk(bytes))]
}

/** The fields of a message whose header is sound, up to where it is cut off or goes on too long. */
function walk(bytes: Uint8Array): Line[] {
  const header = headerLength(bytes)
  const name = nameOfCode(msgTypeAt(bytes) ?? 0) ?? ''
  const type = name.toLowerCase() as PacketType
  const lines: Line[] = [
    { label: 'Length', octets: bytes.subarray(0, header - 1), says: `${bytes.length}${form(bytes)}` },
    { label: 'MsgType', octets: bytes.subarray(header - 1, header), says: name },
  ]
  const { fields, absent }: Layout = layouts[type]
  const packet: Values = { type }
  const reader = new Reader(bytes, header)
  if (absent !== undefined && reader.left === 0) return lines
  for (const field of fields) {
    const start = reader.at
    field.read(packet, reader)
    const octets = bytes.subarray(start, reader.at)
    lines.push({
      label: field.label,
      octets,
      says: reader.left < 0 ? 'cut off' : says(field, packet, octets),
    })
    if (reader.left < 0) return lines
  }
  if (reader.left > 0) lines.push({ label: 'surplus', octets: reader.rest(), says: 'belongs to no field' })
  return lines
}

function form(bytes: Uint8Array): string {
  if (!hasLongLength(bytes)) return ''
  return shortestHeader(bytes.length - headerLength(bytes)) === 2
    ? ', in the 3-octet form although one octet would do'
    : ', in the 3-octet form'
}

function says(field: Field, packet: Values, octets: Uint8Array): string {
  const words = field.names.map((name) => meaning(packet as unknown as Packet, name))
  if (field.label === 'Flags') words.push(unusedBits(field, packet, octets))
  return words.filter((word) => word !== undefined).join(', ')
}

/** Bits of the Flags octet that this message does not use [SN-FLG-1]. */
function unusedBits(field: Field, packet: Values, octets: Uint8Array): string | undefined {
  const used = new Uint8Array(1)
  field.write(packet, new Writer(used))
  const unused = (octets[0] ?? 0) ^ (used[0] ?? 0)
  return unused === 0 ? undefined : `unused bits 0x${hex(Uint8Array.of(unused))} ignored`
}

function raw(bytes: Uint8Array): Line[] {
  return bytes.length === 0 ? [] : [{ label: 'octets', octets: bytes, says: '' }]
}

function table(lines: Line[]): string[] {
  const shown = lines.map((line) => ({ ...line, octets: short(line.octets) }))
  const label = Math.max(...shown.map((line) => line.label.length))
  const octets = Math.max(...shown.map((line) => line.octets.length))
  return shown.map((line) =>
    `  ${line.label.padEnd(label)}  ${line.octets.padEnd(Math.min(octets, 16))}  ${line.says}`.trimEnd(),
  )
}

function short(octets: Uint8Array): string {
  if (octets.length <= SHOWN) return hex(octets)
  return `${hex(octets.subarray(0, SHOWN))}... (${octets.length - SHOWN} more)`
}

function count(octets: number): string {
  return octets === 1 ? '1 octet' : `${octets} octets`
}

/** Octets as lower-case hex without separators. */
export function hex(octets: Uint8Array): string {
  let text = ''
  for (const octet of octets) text += octet.toString(16).padStart(2, '0')
  return text
}
