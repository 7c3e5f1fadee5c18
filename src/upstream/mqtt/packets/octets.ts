// Encodes the MQTT packets that are sent most: PUBLISH, acknowledgements, PINGREQ and DISCONNECT.

import type { Will } from '../../../session/message.ts'
import type { Version } from '../negotiation.ts'

export const PUBACK = 0x40
export const PUBREC = 0x50
export const PUBREL = 0x62
export const PUBCOMP = 0x70

export const PINGREQ = Buffer.of(0xc0, 0x00)

const DISCONNECT = Buffer.of(0xe0, 0x00)
/** MQTT 5: disconnect with will message */
const DISCONNECT_WITH_WILL = Buffer.of(0xe0, 0x02, 0x04, 0x00)
/** MQTT 5: Session Expiry Interval 0 */
const FINAL_DISCONNECT = Buffer.of(0xe0, 0x07, 0x00, 0x05, 0x11, 0, 0, 0, 0)
const NOTHING = Buffer.alloc(0)

/**
 * What is written last. With a clean end the broker discards the will, otherwise it publishes it [SN-MAP-12, -13].
 * `final`: an MQTT 5 broker ends the session as well.
 */
export function farewell(version: Version, publishWill: boolean, final: boolean): Uint8Array {
  if (version === 4) return publishWill ? NOTHING : DISCONNECT
  // Both at once makes Mosquitto 2.0 lose the will.
  if (publishWill) return DISCONNECT_WITH_WILL
  return final ? FINAL_DISCONNECT : DISCONNECT
}

/** The same octets in both versions of MQTT, as long as there is no reason to give. */
export function acknowledgement(type: number, packetId: number): Uint8Array {
  return Buffer.of(type, 2, packetId >> 8, packetId & 0xff)
}

/** PUBREL for a PUBREC to nothing that was published: MQTT 5 calls it `packet identifier not found`. */
export function pubrelForUnknown(version: Version, packetId: number): Uint8Array {
  if (version === 4) return acknowledgement(PUBREL, packetId)
  return Buffer.of(PUBREL, 3, packetId >> 8, packetId & 0xff, 0x92)
}

/** What a PUBLISH says. */
export interface Publication {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
}

/** PUBLISH without properties; `packetId` is not used at QoS 0. */
export function publishPacket(
  version: Version,
  { topic, payload, qos, retain }: Publication,
  packetId: number,
  dup: boolean,
): Uint8Array {
  const name = Buffer.byteLength(topic)
  const remaining = 2 + name + (qos === 0 ? 0 : 2) + (version === 5 ? 1 : 0) + payload.length
  const octets = Buffer.allocUnsafe(1 + lengthOfLength(remaining) + remaining)
  octets[0] = 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
  let at = 1
  for (let rest = remaining; ; rest >>>= 7) {
    octets[at++] = rest > 0x7f ? (rest & 0x7f) | 0x80 : rest
    if (rest <= 0x7f) break
  }
  octets[at++] = name >> 8
  octets[at++] = name & 0xff
  at += octets.write(topic, at)
  if (qos !== 0) {
    octets[at++] = packetId >> 8
    octets[at++] = packetId & 0xff
  }
  if (version === 5) octets[at++] = 0
  octets.set(payload, at)
  return octets
}

/** A will as it is published in place of the broker, in QoS 2 without waiting for an answer. */
export function* willPackets(
  version: Version,
  will: Will | undefined,
  packetId: number,
): Generator<Uint8Array> {
  if (will === undefined) return
  yield publishPacket(version, { ...will, payload: will.message }, packetId, false)
  if (will.qos === 2) yield acknowledgement(PUBREL, packetId)
}

function lengthOfLength(remaining: number): number {
  if (remaining < 0x80) return 1
  if (remaining < 0x4000) return 2
  return remaining < 0x200000 ? 3 : 4
}
