// A message without anything around it, as Wireshark keeps messages that were inside others: tags, and then the message.

import { type End, join, octets, padded, utf8 } from './blocks.ts'

/** LINKTYPE_WIRESHARK_UPPER_PDU */
export const LINKTYPE_UPPER_PDU = 252

const TABLE = 14
const SOURCE = { 4: 20, 16: 22 } as const
const DESTINATION = { 4: 21, 16: 23 } as const
const PORT_TYPE = 24
const SOURCE_PORT = 25
const DESTINATION_PORT = 26
const TABLE_NUMBER = 32
const UDP = 3

/** Wireshark knows MQTT-SN by ports alone: that is where it is to look for it here, whatever the port of the listener. */
export const INSIDE_PORT = 1884

/** MQTT-SN from one end to the other. */
export function exportedPdu(from: End, to: End, message: Uint8Array): Uint8Array {
  const version = from.address.length === 16 ? 16 : 4
  return join([
    tag(TABLE, utf8('udp.port')),
    tag(TABLE_NUMBER, number(INSIDE_PORT)),
    tag(SOURCE[version], from.address),
    tag(DESTINATION[version], to.address),
    tag(PORT_TYPE, number(UDP)),
    tag(SOURCE_PORT, number(from.port)),
    tag(DESTINATION_PORT, number(to.port)),
    new Uint8Array(4), // the end of the tags
    message,
  ])
}

/** These count in network order, unlike the blocks around them. */
function tag(code: number, value: Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(4))
  const content = padded(value)
  head.setUint16(0, code)
  head.setUint16(2, content.length)
  return join([octets(head), content])
}

function number(value: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(4))
  view.setUint32(0, value)
  return octets(view)
}
