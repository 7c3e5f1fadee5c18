// A request on a shared connection, and whom it accuses that was alone under way when the connection broke.

import type { AloneUnderWay } from '../../session/events.ts'
import type { Member } from './port.ts'
import type { Entry } from './routing/entry.ts'

/** A request to the broker, of one sensor or of the connection itself. */
export interface Flight {
  readonly kind: 'publish' | 'subscribe'
  /** whose it is; undefined: the connection's own */
  readonly member: Member | undefined
  /** who is told of the answer */
  to: Member | undefined
  /** the member's name for it */
  readonly token: number
  /** or the filter */
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  readonly repeated: boolean
  /** 0: one that is free is chosen when it is sent */
  packetId: number
  phase: 'waiting' | 'sent' | 'received' | 'released'
  /** QoS 0 publishes that were sent before it */
  mark: number
  readonly entry: Entry<Member> | undefined
}

type Given = Pick<Flight, 'member' | 'topic'> & Partial<Flight>

const nothing = new Uint8Array(0)

/** A request that begins its way. */
export const createFlight = (given: Given): Flight => ({
  kind: given.kind ?? 'publish',
  member: given.member,
  to: 'to' in given ? given.to : given.member,
  token: given.token ?? 0,
  topic: given.topic,
  payload: given.payload ?? nothing,
  qos: given.qos ?? 1,
  retain: given.retain ?? false,
  repeated: given.repeated ?? false,
  packetId: given.packetId ?? 0,
  phase: 'waiting',
  mark: 0,
  entry: given.entry,
})

/** Who asked for what was alone under way. */
export function accusedOf(
  alone: { readonly flight: Flight; readonly again: boolean } | undefined,
): ReadonlyMap<Member, AloneUnderWay> {
  if (alone === undefined) return new Map()
  const { flight, again } = alone
  const { topic, retain, payload, entry, to, token, qos } = flight
  const said = { topic, retain, length: payload.length, again }
  if (entry !== undefined)
    return new Map(entry.underWay.map((request) => [request.member, { ...said, token: request.token }]))
  return new Map(to === undefined ? [] : [[to, { ...said, token: qos === 0 ? 0 : token }]])
}
