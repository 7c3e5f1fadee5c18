// What a sensor can be told (options), what it takes (topics) and what it reports (events).

import type { MalformedReason, Packet, Qos, TopicIdType } from '../codec/v1/messages.ts'
import { SensorError as Failure, type SensorError } from './failure.ts'
import { checkSecurity, isSecure, type SecuredSession, type SecurityOptions } from './security.ts'
import type { SensorTransport } from './udp.ts'

/** A will: the gateway publishes it when the sensor is lost [6.3]. */
export interface SensorWill {
  topic: string
  message: string | Uint8Array
  qos?: 0 | 1 | 2
  retain?: boolean
}

/** Everything has a default; see `resolveOptions`. */
export interface SensorOptions extends SecurityOptions {
  /** `udp://host:port` or `dtls://host:port`, IPv6 in brackets; default `udp://127.0.0.1:1884` */
  gateway?: string
  /** default: the identity of `psk`, or `mqttsn-<process id>-<random>`; the specification allows 1 to 23 characters [5.3.1] */
  clientId?: string
  /** seconds, 0 = not supervised; default 60 */
  keepAlive?: number
  /** default true */
  cleanSession?: boolean
  will?: SensorWill
  /** predefined topic ids that both sides know [6.7]: id to topic name */
  predefined?: Readonly<Record<number, string>>
  /** milliseconds until an unanswered message is repeated; default 10,000 [7.2] */
  tRetry?: number
  /** how often it is repeated before the connection counts as lost; default 3 [7.2] */
  nRetry?: number
  /** sends and expects everything encapsulated, as from this node behind a forwarder [5.5] */
  nodeId?: Uint8Array
  /** local address and port; default: chosen by the system */
  bind?: { address?: string; port?: number }
  /** octets of the longest datagram, encapsulation included; default 65,507, at dtls:// 16,384 */
  maxMessage?: number
  /** keep-alive pings while active; default true */
  autoPing?: boolean
  /** replaces the UDP socket, for instance to lose datagrams on purpose */
  transport?: SensorTransport
}

/** Options with their defaults filled in. */
export type ResolvedOptions = Required<
  Omit<SensorOptions, 'will' | 'nodeId' | 'transport' | keyof SecurityOptions>
> &
  Pick<SensorOptions, 'will' | 'nodeId' | 'transport' | keyof SecurityOptions>

/** A topic by name (a filter when subscribing), by predefined id, or as a short topic name of two octets. */
export type Topic = string | { predefined: number } | { short: string }

/** A message from the gateway. */
export interface ReceivedMessage {
  /** the name; `predefined:<id>` for a predefined id without a configured name */
  topic: string
  payload: Uint8Array
  qos: Qos
  retain: boolean
  dup: boolean
  topicIdType: TopicIdType
  topicId: number
}

/** A message that was sent and, at QoS 1 and 2, acknowledged to the end. */
export interface PublishedMessage {
  topic: Topic
  payload: Uint8Array
  qos: Qos
  retain: boolean
}

/** As a sensor sees itself [6.14]: `awake` lasts from the PINGREQ of a sleeper to its PINGRESP. */
export type SensorState = 'disconnected' | 'connecting' | 'active' | 'asleep' | 'awake' | 'closed'

/** Events of a Sensor, with their arguments. */
export interface SensorEvents {
  message: [message: ReceivedMessage]
  published: [message: PublishedMessage]
  state: [to: SensorState, from: SensorState]
  /** an established connection ended unasked: by the gateway's DISCONNECT, or because it stopped answering */
  disconnected: [why: 'gateway' | 'timeout']
  /** a DTLS session was established with the gateway at dtls:// */
  secured: [session: SecuredSession]
  /** every message on the wire, for tracing */
  packet: [direction: 'in' | 'out', packet: Packet | { type: 'malformed'; reason: MalformedReason }]
  /** something odd that nobody waits for; harmless without a listener */
  error: [error: SensorError]
}

/** Fills in defaults. Throws SensorError `invalid` for values that no message could carry. */
export function resolveOptions(options: SensorOptions): ResolvedOptions {
  const random = Math.floor(Math.random() * 0x1000000).toString(16)
  const resolved = {
    gateway: 'udp://127.0.0.1:1884',
    clientId: options.psk?.identity ?? `mqttsn-${process.pid}-${random}`,
    keepAlive: 60,
    cleanSession: true,
    predefined: {},
    tRetry: 10_000,
    nRetry: 3,
    bind: {},
    maxMessage: isSecure(options.gateway ?? '') ? 16_384 : 65_507,
    autoPing: true,
    ...options,
  }
  if (resolved.clientId === '') throw new Failure('invalid', 'clientId: at least 1 character [5.3.1]')
  if (options.transport === undefined) checkSecurity(resolved.gateway, options)
  checkSeconds('keepAlive', resolved.keepAlive, 0)
  const nodeIdLength = resolved.nodeId?.length ?? 1
  if (nodeIdLength < 1 || nodeIdLength > 252) throw new Failure('invalid', 'nodeId: 1 to 252 octets [5.5]')
  return resolved
}

/** Throws SensorError `invalid` unless `value` fits a Duration field [5.3.3]. */
export function checkSeconds(what: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least && value <= 0xffff) return
  throw new Failure('invalid', `${what}: whole seconds from ${least} to 65535, got ${value}`)
}
