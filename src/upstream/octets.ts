// The few MQTT packets that are written without MQTT.js, which would not send them when they are needed.

export const PUBACK = 0x40
export const PUBREC = 0x50
export const PUBREL = 0x62

const DISCONNECT = Buffer.of(0xe0, 0x00)
/** MQTT 5: disconnect with will message */
const DISCONNECT_WITH_WILL = Buffer.of(0xe0, 0x02, 0x04, 0x00)
const NOTHING = Buffer.alloc(0)

/** What is written last: with a clean end the broker discards the will, otherwise it publishes it [SN-MAP-12, -13]. */
export function farewell(version: 4 | 5, publishWill: boolean): Uint8Array {
  if (!publishWill) return DISCONNECT
  return version === 5 ? DISCONNECT_WITH_WILL : NOTHING
}

/** The same octets in both versions of MQTT, as long as there is no reason to give. */
export function acknowledgement(type: number, packetId: number): Uint8Array {
  return Buffer.of(type, 2, packetId >> 8, packetId & 0xff)
}
