// The kinds of field that messages are made of, each with both directions: octets to value and back [5.3].
// Pure.

import type { Reader, Writer } from './cursor.ts'
import type { Qos, TopicIdType } from './v1/messages.ts'

/** A packet while it is being taken apart or put together; layouts.ts knows which fields it has. */
export interface Values {
  [name: string]: unknown
  /** read before the field whose kind it decides */
  topicIdType?: unknown
}

/** One field of a message. `Name` lists the properties of the packet that it stands for. */
export interface Field<Name extends string = string> {
  readonly names: readonly Name[]
  /** the field's name in the specification */
  readonly label: string
  /** Reads the octets and sets the properties. */
  read(packet: Values, from: Reader): void
  /** Writes the properties; throws RangeError for what the octets cannot hold. */
  write(packet: Values, to: Writer): void
}

/** One octet. */
export function u8<Name extends string>(name: Name): Field<Name> {
  return {
    names: [name],
    label: capital(name),
    read: (packet, from) => {
      packet[name] = from.u8()
    },
    write: (packet, to) => to.u8(integer(packet, name, 0xff)),
  }
}

/** Two octets. */
export function u16<Name extends string>(name: Name): Field<Name> {
  return {
    names: [name],
    label: capital(name),
    read: (packet, from) => {
      packet[name] = from.u16()
    },
    write: (packet, to) => to.u16(integer(packet, name, 0xffff)),
  }
}

/** UTF-8 up to the end of the message. */
export function text<Name extends string>(name: Name): Field<Name> {
  return {
    names: [name],
    label: capital(name),
    read: (packet, from) => {
      packet[name] = from.text()
    },
    write: (packet, to) => to.text(packet[name] as string),
  }
}

/** Any octets up to the end of the message. */
export function octets<Name extends string>(name: Name): Field<Name> {
  return {
    names: [name],
    label: capital(name),
    read: (packet, from) => {
      packet[name] = from.rest()
    },
    write: (packet, to) => to.rest(packet[name] as Uint8Array),
  }
}

const TOPIC_ID_TYPES: readonly TopicIdType[] = ['normal', 'predefined', 'short', 'reserved']
const QOS: readonly Qos[] = [0, 1, 2, -1]

function bit(mask: number) {
  return {
    value: (octet: number) => (octet & mask) !== 0,
    bits: (value: unknown) => (value === true ? mask : 0),
  }
}

/** The places of the Flags octet [5.3.4, table 4]. */
const FLAGS = {
  dup: bit(0x80),
  qos: { value: (octet: number) => QOS[(octet >> 5) & 3], bits: (value: unknown) => choice(QOS, value) << 5 },
  retain: bit(0x10),
  will: bit(0x08),
  cleanSession: bit(0x04),
  topicIdType: {
    value: (octet: number) => TOPIC_ID_TYPES[octet & 3],
    bits: (value: unknown) => choice(TOPIC_ID_TYPES, value),
  },
} as const

/**
 * The Flags octet. Bits that `names` leaves out are not used: ignored when read, 0 when written [SN-FLG-1].
 */
export function flags<Name extends keyof typeof FLAGS>(...names: Name[]): Field<Name> {
  const places = names.map((name) => ({ name, ...FLAGS[name] }))
  return {
    names,
    label: 'Flags',
    read: (packet, from) => {
      const octet = from.u8()
      for (const place of places) packet[place.name] = place.value(octet)
    },
    write: (packet, to) => to.u8(places.reduce((octet, place) => octet | place.bits(packet[place.name]), 0)),
  }
}

const topicName = text('topicName')
const topicId = u16('topicId')

/**
 * What SUBSCRIBE and UNSUBSCRIBE are about: for type normal a name, else exactly two octets [5.4.15, 5.4.17].
 */
export const filter: Field<'topicName' | 'topicId'> = {
  names: ['topicName', 'topicId'],
  label: 'Topic',
  read: (packet, from) => (packet.topicIdType === 'normal' ? topicName : topicId).read(packet, from),
  write: (packet, to) => (packet.topicIdType === 'normal' ? topicName : topicId).write(packet, to),
}

function capital(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1)
}

function integer(packet: Values, name: string, max: number): number {
  const value = packet[name]
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) {
    throw new RangeError(`${name} must be an integer from 0 to ${max}, not ${value}`)
  }
  return value
}

function choice(choices: readonly unknown[], value: unknown): number {
  const index = choices.indexOf(value)
  if (index === -1) throw new RangeError(`${value} is none of ${choices.join(', ')}`)
  return index
}
