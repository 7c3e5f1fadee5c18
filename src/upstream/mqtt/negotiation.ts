// What CONNECT asks of the broker, and the limits that CONNACK sets.

import type { IConnackPacket, IConnectPacket } from 'mqtt-packet'
import type { BrokerLimits } from '../../session/broker/limits.ts'
import type { Will } from '../../session/message.ts'
import type { ConnectOptions, UpstreamOptions } from '../upstream.ts'

/** MQTT's protocol level: 4 is 3.1.1 */
export type Version = 4 | 5

/** octets that an MQTT packet can have at most */
const MAXIMUM_PACKET = 268_435_460

/** of a broker that tells none */
export const UNLIMITED: BrokerLimits = {
  maximumQos: 2,
  retainAvailable: true,
  maximumPacketSize: MAXIMUM_PACKET,
  wildcardAvailable: true,
}

/** All that an MQTT 5 CONNACK changes. */
export interface Negotiated {
  readonly limits: BrokerLimits
  /** QoS 1 and 2 publishes that the broker takes at once */
  readonly receiveMaximum: number
  /** milliseconds */
  readonly keepAlive: number
  /** whether messages can tell which subscriptions they come for */
  readonly identifiers: boolean
}

/** The limits in an MQTT 5 CONNACK [SN-MAP-9]; `keepalive`: seconds that CONNECT asked for, unless the broker wants others. */
export function negotiated({ properties = {} }: IConnackPacket, keepalive: number): Negotiated {
  const { maximumQoS, serverKeepAlive, receiveMaximum, maximumPacketSize } = properties
  return {
    limits: {
      maximumQos: maximumQoS === 0 || maximumQoS === 1 ? maximumQoS : 2,
      retainAvailable: properties.retainAvailable ?? true,
      maximumPacketSize: positive(maximumPacketSize) ?? MAXIMUM_PACKET,
      wildcardAvailable: properties.wildcardSubscriptionAvailable ?? true,
      ...(properties.sharedSubscriptionAvailable === false && { sharedAvailable: false }),
    },
    receiveMaximum: positive(receiveMaximum) ?? 0xffff,
    keepAlive: 1000 * (serverKeepAlive === 0 ? 0 : (positive(serverKeepAlive) ?? keepalive)),
    identifiers: properties.subscriptionIdentifiersAvailable ?? true,
  }
}

/** Publishes sent at once, even if the broker allows more; the default of Mosquitto, which tells its own only in MQTT 5. */
const WINDOW = 20

/** The same on a connection that carries what many sensors publish, to a broker that tells its own. */
const WINDOW_OF_MANY = 1000

/** QoS 1 and 2 publishes that are sent at once to a broker that takes `receiveMaximum`. */
export const windowOf = (receiveMaximum: number, version: Version, carriesMany = false): number =>
  Math.min(receiveMaximum, carriesMany && version === 5 ? WINDOW_OF_MANY : WINDOW)

/** The CONNECT of one connection. */
export function connectPacket(
  upstream: UpstreamOptions,
  { identity, clean, mend, will, sensors = 0 }: ConnectOptions,
  version: Version,
): IConnectPacket & { readonly clean: boolean; readonly keepalive: number } {
  const { clientId, username, password } = identity
  const delay = version === 5 ? patience(upstream, sensors) : 0
  return {
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: version,
    clientId,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: Buffer.from(password) }),
    // A clean session that the broker keeps for a while is taken up again when its connection is mended [SN-MAP-4].
    clean: clean && !(mend && delay > 0),
    keepalive: seconds(upstream.keepAlive),
    ...(will === undefined ? {} : { will: willOptions(will, delay) }),
    // An absent expiry means 0: the session would end with the connection [SN-MAP-2, -7].
    ...(version === 5 && {
      properties: {
        // a broker that forgets the session publishes the will, too
        sessionExpiryInterval: clean ? delay : Math.max(delay, upstream.sessionExpirySeconds),
        receiveMaximum: upstream.receiveMaximum,
        topicAliasMaximum: 0,
        requestProblemInformation: true,
        ...(upstream.maximumIncomingPacket !== undefined && {
          maximumPacketSize: upstream.maximumIncomingPacket,
        }),
      },
    }),
  }
}

/** Milliseconds from one sensor's connection to the next after a restart of the gateway: `restore` leaves as many between them. */
const EACH = 2

/**
 * Seconds that the broker is to wait for a connection that is gone without a word: while the gateway may be away, and until the last
 * of all sensors has had its turn. Otherwise it would publish wills of sensors that are there.
 */
function patience({ absenceSeconds, connectsPerSecond }: UpstreamOptions, sensors: number): number {
  if (absenceSeconds === 0) return 0
  return absenceSeconds + Math.ceil((sensors * Math.max(EACH, 1000 / connectsPerSecond)) / 1000)
}

function seconds(milliseconds: number): number {
  return milliseconds === 0 ? 0 : Math.min(0xffff, Math.max(1, Math.round(milliseconds / 1000)))
}

/** Without delay, MQTT 5 publishes it as soon as the connection is lost [SN-MAP-11]. */
function willOptions(
  { topic, message, qos, retain }: Will,
  delay: number,
): NonNullable<IConnectPacket['will']> {
  const properties = delay > 0 ? { properties: { willDelayInterval: delay } } : {}
  return { topic, payload: Buffer.from(message), qos, retain, ...properties }
}

/** What a broker says, if it is a number that makes sense: repeated properties come as arrays. */
function positive(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value : undefined
}
