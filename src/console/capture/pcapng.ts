// Datagrams as a pcapng capture: each in a raw IP packet made up around it, with the real addresses, ports and times.
// Wireshark and tshark read MQTT-SN in it once they know the port: `tshark -r FILE -d udp.port==1884,mqttsn`.
// Where records of DTLS are captured too, what was inside is beside them on an interface of its own, and needs no port.

import type { WatchedPacket, WireDatagram } from '../contract/live.ts'
import {
  addressOctets,
  block,
  END_OF_OPTIONS,
  type End,
  join,
  octets,
  option,
  padded,
  utf8,
} from './blocks.ts'
import { exportedPdu, LINKTYPE_UPPER_PDU } from './exported-pdu.ts'

const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE = 1
const ENHANCED_PACKET = 6
/** Packets begin with their IP header, of either version. */
const LINKTYPE_RAW = 101

/** Numbers of the interfaces: what was on the wire, and MQTT-SN that was inside records. */
const WIRE = 0
const INSIDE = 1

const COMMENT = 1
const NAME = 2
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

/** The beginning of a capture, to be followed by any number of packets; `records`: records of DTLS are among them. */
export function pcapngHeader(records = false): Uint8Array {
  const section = new DataView(new ArrayBuffer(16))
  section.setUint32(0, 0x1a2b3c4d, true) // tells the order of octets
  section.setUint16(4, 1, true) // version 1.0
  section.setBigInt64(8, -1n, true) // the length is not known beforehand
  const about = 'Datagrams as a gateway saw them. Decode them as MQTT-SN: -d udp.port==1884,mqttsn'
  const inside = records ? [interfaceBlock(LINKTYPE_UPPER_PDU, 'inside DTLS')] : []
  return join([
    block(SECTION_HEADER, [
      octets(section),
      option(APPLICATION, utf8('mqtt-sn-gateway')),
      option(COMMENT, utf8(about)),
      END_OF_OPTIONS,
    ]),
    interfaceBlock(LINKTYPE_RAW, records ? 'wire' : undefined),
    ...inside,
  ])
}

function interfaceBlock(type: number, name: string | undefined): Uint8Array {
  const link = new DataView(new ArrayBuffer(8)) // no limit to a packet's length
  link.setUint16(0, type, true)
  const named = name === undefined ? [] : [option(NAME, utf8(name))]
  return block(INTERFACE, [octets(link), ...named, option(RESOLUTION, Uint8Array.of(6)), END_OF_OPTIONS])
}

type Place = Readonly<{ address: string; port: number }>

/**
 * One datagram as a block of a capture. `local` is the listener's side of it; if that is a wildcard or of the other IP
 * version than the sensor's address, the unspecified address stands there. ClientId, topic name and repetition are in
 * the packet's comment.
 */
export const pcapngPacket = (packet: WatchedPacket, local: Place): Uint8Array<ArrayBuffer> =>
  packetBlock(WIRE, packet, ipPacket(...endsOf(packet, local), dataOf(packet)), commentOn(packet))

/** A datagram of a listener with DTLS as it is on the wire; the comment says whose it is, where that is known. */
export const pcapngWire = (datagram: WireDatagram, local: Place): Uint8Array<ArrayBuffer> => {
  const { identity, listener } = datagram
  const comment = [`${identity ?? 'no session'}: DTLS`, `on ${listener}`].map(printable).join(' ')
  return packetBlock(WIRE, datagram, ipPacket(...endsOf(datagram, local), dataOf(datagram)), comment)
}

/** A message that was inside a record of DTLS. */
export const pcapngInside = (packet: WatchedPacket, local: Place): Uint8Array<ArrayBuffer> =>
  packetBlock(INSIDE, packet, exportedPdu(...endsOf(packet, local), dataOf(packet)), commentOn(packet))

type Passing = Pick<WatchedPacket, 'at' | 'direction' | 'address' | 'port' | 'bytes'>

const dataOf = ({ bytes }: Passing): Uint8Array => bytes.subarray(0, MOST_DATA)

/** Where it came from, and where it went. */
function endsOf({ address, port, direction }: Passing, local: Place): [from: End, to: End] {
  const remote = addressOctets(address) ?? new Uint8Array(4)
  const own = addressOctets(local.address)
  const here = {
    address: own?.length === remote.length ? own : new Uint8Array(remote.length),
    port: local.port,
  }
  const there = { address: remote, port }
  return direction === 'received' ? [there, here] : [here, there]
}

function packetBlock(
  from: number,
  { at, direction }: Passing,
  whole: Uint8Array,
  comment: string,
): Uint8Array<ArrayBuffer> {
  const times = new DataView(new ArrayBuffer(20))
  const microseconds = Math.round(at * 1000)
  times.setUint32(0, from, true)
  times.setUint32(4, Math.floor(microseconds / 2 ** 32), true)
  times.setUint32(8, microseconds % 2 ** 32, true)
  times.setUint32(12, whole.length, true)
  times.setUint32(16, whole.length, true)
  const flags = new DataView(new ArrayBuffer(4))
  flags.setUint32(0, DIRECTION[direction], true)
  return block(ENHANCED_PACKET, [
    octets(times),
    padded(whole),
    option(COMMENT, utf8(comment)),
    option(FLAGS, octets(flags)),
    END_OF_OPTIONS,
  ])
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
    .map(printable)
    .join(' ')
}

const printable = (word: string): string => word.slice(0, MOST_COMMENT).replace(/\p{C}/gu, '\u{fffd}')

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
