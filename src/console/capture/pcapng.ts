// Datagrams as a pcapng capture: each in a raw IP packet made up around it, with the real addresses, ports and times.
// Wireshark and tshark read MQTT-SN in it once they know the port: `tshark -r FILE -d udp.port==1884,mqttsn`.

import type { WatchedPacket } from '../contract/live.ts'

const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE = 1
const ENHANCED_PACKET = 6
/** Packets begin with their IP header, of either version. */
const LINKTYPE_RAW = 101

const COMMENT = 1
const APPLICATION = 4
const FLAGS = 2
const RESOLUTION = 9
/** Codes of the flags option: which way the packet went, seen from the gateway. */
const DIRECTION = { received: 1, sent: 2 } as const

const UDP = 17
const UDP_HEADER = 8
const HOPS = 64
/** What fits in an IPv4 packet, as its length field counts the headers too. */
const MOST_DATA = 65_535 - 20 - UDP_HEADER
/** A longer topic name is cut in the comment; the packet holds it whole. */
const MOST_COMMENT = 500

/** The beginning of a capture, to be followed by any number of packets. */
export function pcapngHeader(): Uint8Array {
  const section = new DataView(new ArrayBuffer(16))
  section.setUint32(0, 0x1a2b3c4d, true) // tells the order of octets
  section.setUint16(4, 1, true) // version 1.0
  section.setBigInt64(8, -1n, true) // the length is not known beforehand
  const about = 'Datagrams as a gateway saw them. Decode them as MQTT-SN: -d udp.port==1884,mqttsn'
  const link = new DataView(new ArrayBuffer(8)) // no limit to a packet's length
  link.setUint16(0, LINKTYPE_RAW, true)
  const microseconds = option(RESOLUTION, Uint8Array.of(6))
  return join([
    block(SECTION_HEADER, [
      octets(section),
      option(APPLICATION, utf8('mqtt-sn-gateway')),
      option(COMMENT, utf8(about)),
      END_OF_OPTIONS,
    ]),
    block(INTERFACE, [octets(link), microseconds, END_OF_OPTIONS]),
  ])
}

/**
 * One datagram as a block of a capture. `local` is the listener's side of it; if that is a wildcard or of the other IP
 * version than the sensor's address, the unspecified address stands there. ClientId, topic name and repetition are in
 * the packet's comment.
 */
export function pcapngPacket(
  packet: WatchedPacket,
  local: { address: string; port: number },
): Uint8Array<ArrayBuffer> {
  const remote = addressOctets(packet.address) ?? new Uint8Array(4)
  const own = addressOctets(local.address)
  const here = {
    address: own?.length === remote.length ? own : new Uint8Array(remote.length),
    port: local.port,
  }
  const there = { address: remote, port: packet.port }
  const data = packet.bytes.subarray(0, MOST_DATA)
  const whole = packet.direction === 'received' ? ipPacket(there, here, data) : ipPacket(here, there, data)
  const times = new DataView(new ArrayBuffer(20))
  const microseconds = Math.round(packet.at * 1000)
  times.setUint32(4, Math.floor(microseconds / 2 ** 32), true)
  times.setUint32(8, microseconds % 2 ** 32, true)
  times.setUint32(12, whole.length, true)
  times.setUint32(16, whole.length, true)
  const flags = new DataView(new ArrayBuffer(4))
  flags.setUint32(0, DIRECTION[packet.direction], true)
  return block(ENHANCED_PACKET, [
    octets(times),
    padded(whole),
    option(COMMENT, utf8(commentOn(packet))),
    option(FLAGS, octets(flags)),
    END_OF_OPTIONS,
  ])
}

interface End {
  readonly address: Uint8Array
  readonly port: number
}

function commentOn({ clientId, type, topic, repeated, listener }: WatchedPacket): string {
  const words = [
    `${clientId ?? 'unknown sensor'}: ${type}`,
    topic,
    repeated ? '(again)' : undefined,
    `on ${listener}`,
  ]
  return words
    .filter((word) => word !== undefined)
    .map((word) => word.slice(0, MOST_COMMENT).replace(/\p{C}/gu, '\u{fffd}'))
    .join(' ')
}

function ipPacket(from: End, to: End, data: Uint8Array): Uint8Array {
  const size = UDP_HEADER + data.length
  const udp = new DataView(new ArrayBuffer(UDP_HEADER))
  udp.setUint16(0, from.port)
  udp.setUint16(2, to.port)
  udp.setUint16(4, size)
  // Summed over addresses, protocol and length as well; IPv6 has no UDP without a checksum [RFC 8200 8.1].
  const sum = checksum([from.address, to.address, Uint8Array.of(0, UDP, size >> 8, size), octets(udp), data])
  udp.setUint16(6, sum === 0 ? 0xffff : sum)
  const header = from.address.length === 4 ? ipv4Header(from, to, size) : ipv6Header(from, to, size)
  return join([header, octets(udp), data])
}

function ipv4Header(from: End, to: End, size: number): Uint8Array {
  const header = new DataView(new ArrayBuffer(20))
  header.setUint8(0, 0x45) // version 4, five words of header
  header.setUint16(2, 20 + size)
  header.setUint8(8, HOPS)
  header.setUint8(9, UDP)
  const bytes = octets(header)
  bytes.set(from.address, 12)
  bytes.set(to.address, 16)
  header.setUint16(10, checksum([bytes]))
  return bytes
}

function ipv6Header(from: End, to: End, size: number): Uint8Array {
  const header = new DataView(new ArrayBuffer(40))
  header.setUint8(0, 0x60)
  header.setUint16(4, size)
  header.setUint8(6, UDP)
  header.setUint8(7, HOPS)
  const bytes = octets(header)
  bytes.set(from.address, 8)
  bytes.set(to.address, 24)
  return bytes
}

/** The sum of the Internet protocols; every part but the last has an even number of octets. */
function checksum(parts: readonly Uint8Array[]): number {
  let sum = 0
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 2) sum += ((part[at] ?? 0) << 8) | (part[at + 1] ?? 0)
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  return ~sum & 0xffff
}

/** 4 or 16 octets; an IPv4 address in IPv6 notation is one of IPv4. Undefined if it is no IP address. */
function addressOctets(text: string): Uint8Array | undefined {
  const address = text.replace(/%.*$/, '').replace(/^::ffff:(?=[\d.]+$)/i, '')
  if (!address.includes(':')) {
    const numbers = address.split('.')
    return numbers.length === 4 && numbers.every((part) => /^\d{1,3}$/.test(part))
      ? Uint8Array.from(numbers, Number)
      : undefined
  }
  const [head = [], tail] = address.split('::').map(groups)
  const zeros =
    tail === undefined ? [] : new Array<number>(Math.max(0, 8 - head.length - tail.length)).fill(0)
  const all = [...head, ...zeros, ...(tail ?? [])]
  if (all.length !== 8 || all.some(Number.isNaN)) return undefined
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group]))
}

function groups(text: string): number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)]
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
    return [(a << 8) | b, (c << 8) | d]
  })
}

const END_OF_OPTIONS = new Uint8Array(4)

function option(code: number, value: Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(4))
  head.setUint16(0, code, true)
  head.setUint16(2, value.length, true)
  return join([octets(head), padded(value)])
}

function block(type: number, parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = join([new Uint8Array(8), ...parts, new Uint8Array(4)])
  const view = new DataView(bytes.buffer)
  view.setUint32(0, type, true)
  view.setUint32(4, bytes.length, true)
  view.setUint32(bytes.length - 4, bytes.length, true)
  return bytes
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Zeros up to the next multiple of four octets. */
const padded = (bytes: Uint8Array): Uint8Array => join([bytes, new Uint8Array(-bytes.length & 3)])

const octets = (view: DataView<ArrayBuffer>): Uint8Array => new Uint8Array(view.buffer)

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
