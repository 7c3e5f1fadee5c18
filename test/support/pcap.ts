// Writes datagrams as a capture file, so that another program can read them: raw IPv4 packets with UDP in them.

/** One datagram on its way between two addresses of this machine. */
export interface CapturedDatagram {
  readonly from: number
  readonly to: number
  readonly bytes: Uint8Array
}

const IPV4_HEADER = 20
const UDP_HEADER = 8
/** The link type of packets that begin with their IP header. */
const LINKTYPE_RAW = 101
const LOOPBACK = 0x7f000001

/** A capture file of these datagrams, in their order, one millisecond apart. */
export function pcapOf(datagrams: readonly CapturedDatagram[]): Uint8Array {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4, 0)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(0xffff, 16)
  header.writeUInt32LE(LINKTYPE_RAW, 20)
  return Buffer.concat([header, ...datagrams.flatMap((datagram, index) => record(datagram, index))])
}

function record({ from, to, bytes }: CapturedDatagram, index: number): Buffer[] {
  const length = IPV4_HEADER + UDP_HEADER + bytes.length
  const about = Buffer.alloc(16)
  about.writeUInt32LE(Math.floor(index / 1000), 0)
  about.writeUInt32LE((index % 1000) * 1000, 4)
  about.writeUInt32LE(length, 8)
  about.writeUInt32LE(length, 12)
  const headers = Buffer.alloc(IPV4_HEADER + UDP_HEADER)
  headers[0] = 0x45 // version 4, five words of header
  headers.writeUInt16BE(length, 2)
  headers[8] = 64 // hops
  headers[9] = 17 // UDP
  headers.writeUInt32BE(LOOPBACK, 12)
  headers.writeUInt32BE(LOOPBACK, 16)
  headers.writeUInt16BE(checksum(headers.subarray(0, IPV4_HEADER)), 10)
  headers.writeUInt16BE(from, 20)
  headers.writeUInt16BE(to, 22)
  headers.writeUInt16BE(UDP_HEADER + bytes.length, 24) // a checksum of 0 means that there is none
  return [about, headers, Buffer.from(bytes)]
}

function checksum(header: Buffer): number {
  let sum = 0
  for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at)
  return ~((sum & 0xffff) + (sum >> 16)) & 0xffff
}
