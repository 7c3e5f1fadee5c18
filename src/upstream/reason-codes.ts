// What a broker's return and reason codes mean for a sensor: part C3 of the checklist and SN-MAP-35, as data.

import type { UpstreamEvent } from '../session/events.ts'
import type { Outcome } from '../session/message.ts'
import type { MapCode } from './upstream.ts'

/** `again`: the gateway repeats the request with another packet identifier and tells the sensor nothing. */
export type AckOutcome = Outcome | 'again'

/** Why a broker ended a connection; `fault`: it accuses us of a protocol error. */
export interface Ending {
  readonly why: Extract<UpstreamEvent, { type: 'closed' }>['why']
  readonly fault: boolean
}

const FAILURE = 0x80

/** MQTT 3.1.1 CONNACK: a code that is neither 0 nor listed means that every later attempt will be refused too. */
const CONNACK_3: ReadonlyMap<number, Outcome> = new Map([
  [0, 0],
  [3, 1], // server unavailable
])

/** MQTT 5 CONNACK: failures that may pass. Every other failure means that later attempts will be refused too. */
const CONNACK_5: ReadonlyMap<number, Outcome> = new Map([
  [0x00, 0],
  [0x80, 1], // unspecified
  [0x88, 1], // server unavailable
  [0x89, 1], // server busy
  [0x97, 1], // quota exceeded
  [0x9c, 1], // use another server
  [0x9d, 1], // server moved
  [0x9f, 1], // connection rate exceeded
])

/** SUBACK, PUBACK and PUBREC: failures that may pass or that the gateway can repair; a repetition does not help with others. */
const ACKS: ReadonlyMap<number, AckOutcome> = new Map<number, AckOutcome>([
  [0x91, 'again'], // packet identifier in use
  [0x97, 1], // quota exceeded
])

/** DISCONNECT from the server [SN-MAP-35]: a code that is not listed means a lost connection, which is nobody's fault. */
const DISCONNECT: ReadonlyMap<number, Ending> = new Map([
  [0x8e, { why: 'taken-over', fault: false }], // session taken over
  [0x87, { why: 'forbidden', fault: false }], // not authorized
  [0x98, { why: 'forbidden', fault: false }], // administrative action
  // malformed packet, protocol error, receive maximum, topic alias, retain, QoS, shared subscriptions, subscription identifiers,
  // wildcard subscriptions; not those by which a broker refuses a single message: topic name, packet too large, payload format
  ...[0x81, 0x82, 0x93, 0x94, 0x9a, 0x9b, 0x9e, 0xa1, 0xa2].map((code): [number, Ending] => [
    code,
    { why: 'lost', fault: true },
  ]),
])

const LOST: Ending = { why: 'lost', fault: false }

/** The broker closed the connection without a reason, as it does over MQTT 3.1.1 when the same client connects again. */
export const UNEXPLAINED: Ending = { why: 'unexplained', fault: false }

/** What a CONNACK means: a return code of MQTT 3.1.1 (version 4), or a reason code of MQTT 5. */
export function connackOutcome(version: 4 | 5, code: number): ReturnType<MapCode> {
  if (version === 4) return CONNACK_3.get(code) ?? 3
  return CONNACK_5.get(code) ?? (code < FAILURE ? 0 : 3)
}

/** PUBACK, PUBREC, PUBCOMP or SUBACK code; success is everything below 0x80, such as 0x10 `no matching subscribers`. */
export function ackOutcome(code: number): AckOutcome {
  return code < FAILURE ? 0 : (ACKS.get(code) ?? 3)
}

/** Reason code of an MQTT 5 server's DISCONNECT. */
export function endingOf(code: number): Ending {
  return DISCONNECT.get(code) ?? LOST
}

/** Whether a CONNACK code says that the broker does not speak the version asked for, in its own or in the other one. */
export function refusesVersion(code: number): boolean {
  return code === 1 || code === 0x84
}

/** A code as it appears in logs. */
export function hex(code: number): string {
  return `0x${code.toString(16).padStart(2, '0')}`
}
