// What CONNECT asks of the broker and what CONNACK says it can do; and what MQTT.js is told not to do by itself.

import type { IClientOptions, IConnackPacket } from 'mqtt'
import type { BrokerLimits, Will } from '../session/events.ts'
import type { ConnectOptions, UpstreamOptions } from './upstream.ts'

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

/** The limits in an MQTT 5 CONNACK [SN-MAP-9]. */
export function brokerLimits({ properties }: IConnackPacket): BrokerLimits {
  if (properties === undefined) return UNLIMITED
  const { maximumQoS } = properties
  return {
    maximumQos: maximumQoS === 0 || maximumQoS === 1 ? maximumQoS : 2,
    retainAvailable: properties.retainAvailable ?? true,
    maximumPacketSize: properties.maximumPacketSize ?? MAXIMUM_PACKET,
    wildcardAvailable: properties.wildcardSubscriptionAvailable ?? true,
  }
}

/** Options of MQTT.js for one connection. */
export function clientOptions(
  upstream: UpstreamOptions,
  { identity, clean, will }: ConnectOptions,
  version: Version,
): IClientOptions {
  const { clientId, username, password } = identity
  return {
    clientId,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    clean,
    protocolVersion: version,
    protocolId: 'MQTT',
    keepalive: keepAliveSeconds(upstream.keepAlive),
    connectTimeout: upstream.connectTimeout,
    ...(will === undefined ? {} : { will: willOptions(will) }),
    // An absent expiry means 0: the session would end with the connection [SN-MAP-2, -7].
    ...(version === 5 && {
      properties: {
        sessionExpiryInterval: clean ? 0 : upstream.sessionExpirySeconds,
        receiveMaximum: upstream.receiveMaximum,
        topicAliasMaximum: 0,
        requestProblemInformation: true,
      },
    }),
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    writeCache: false,
    // Pings go by the clock alone: cheaper, and a dead broker is noticed even while messages are being sent to it.
    reschedulePings: false,
    timerVariant: 'native',
    log: () => undefined,
  }
}

function keepAliveSeconds(milliseconds: number): number {
  return milliseconds === 0 ? 0 : Math.min(0xffff, Math.max(1, Math.round(milliseconds / 1000)))
}

/** Without properties, so that MQTT 5 publishes it as soon as the connection is lost [SN-MAP-11]. */
function willOptions({ topic, message, qos, retain }: Will): NonNullable<IClientOptions['will']> {
  return { topic, payload: Buffer.from(message), qos, retain }
}
