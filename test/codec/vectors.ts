// The golden and the malformed frames of MQTT-SN 1.2, and what each should decode to.

import { readFileSync } from 'node:fs'
import type { Packet } from '../../src/codec/v1/messages.ts'

/** A message's values by name. */
interface Fields {
  [name: string]: unknown
  empty?: boolean
  topicId?: number
  shortTopic?: string
  /** of an encapsulation */
  wirelessNodeId?: string
  radius?: number
}

/** One datagram whose meaning is known; `inner` is the message of an encapsulated one. */
export interface Vector {
  name: string
  type: string
  hex: string
  canonical: boolean
  fields: Fields & { inner?: { type: string; fields: Fields } }
}
/** A long frame, given by its start and an octet that is repeated. */
export interface LargeVector {
  name: string
  hexPrefix: string
  fillByte: string
  fillCount: number
  sha256: string
}
/** A datagram that is refused, and by whom: the codec, or the session (`semantic`, `direction`). */
export interface MalformedVector {
  name: string
  hex: string
  layer: 'codec' | 'semantic' | 'direction'
}

export const { vectors, largeVectors, malformed } = JSON.parse(
  readFileSync(new URL('vectors-1.2.json', import.meta.url), 'utf8'),
) as { vectors: Vector[]; largeVectors: LargeVector[]; malformed: MalformedVector[] }

/** Octets of a hex string, in an array of its own. */
export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** The message of a vector, without an encapsulation around it. */
export function packetOf({ type, fields }: Vector): Packet {
  return fields.inner === undefined
    ? toPacket(type, fields)
    : toPacket(fields.inner.type, fields.inner.fields)
}

/** The vectors write octets as hex, repeat some values as text, and mark absent parts in ways of their own. */
function toPacket(type: string, fields: Fields): Packet {
  const packet: Fields = { type: type.toLowerCase() }
  for (const [name, value] of Object.entries(fields)) {
    if (['flags', 'empty', 'dataText', 'willMsgText', 'shortTopic'].includes(name)) continue
    packet[name] = ['gwAdd', 'data', 'willMsg'].includes(name) ? fromHex((value ?? '') as string) : value
  }
  if (fields.empty === true) Object.assign(packet, { qos: 0, retain: false, willTopic: null })
  if (fields.topicId === undefined && fields.shortTopic !== undefined) {
    packet.topicId = Buffer.from(fields.shortTopic, 'latin1').readUInt16BE()
  }
  return packet as unknown as Packet
}
