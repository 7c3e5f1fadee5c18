// What the broker can do, and whether it can take a message: sending what it cannot would make it hang up [SN-MAP-9]. Pure.

import { hasWildcard, isShared, octets } from '../../mqtt-topics.ts'

/** What the broker said it can do (MQTT 5 CONNACK); an MQTT 3.1.1 broker has no limits to tell. */
export interface BrokerLimits {
  readonly maximumQos: 0 | 1 | 2
  readonly retainAvailable: boolean
  /** octets of one MQTT packet */
  readonly maximumPacketSize: number
  readonly wildcardAvailable: boolean
  /** false: it has no shared subscriptions */
  readonly sharedAvailable?: boolean
}

/** Octets that an MQTT PUBLISH may need beyond topic and payload. */
const MQTT_HEADER = 16

/** Whether a broker with these limits can take a PUBLISH; undefined: nothing is known, so it may try. */
export const fitsBroker = (
  limits: BrokerLimits | undefined,
  {
    qos,
    retain,
    data,
  }: { readonly qos: -1 | 0 | 1 | 2; readonly retain: boolean; readonly data: Uint8Array },
  topic: string,
): boolean =>
  limits === undefined ||
  (qos <= limits.maximumQos &&
    (limits.retainAvailable || !retain) &&
    octets(topic) + data.length + MQTT_HEADER <= limits.maximumPacketSize)

/** Whether a broker with these limits can take a SUBSCRIBE to this legal filter; undefined: nothing is known, so it may try. */
export const canSubscribe = (limits: BrokerLimits | undefined, filter: string): boolean =>
  limits === undefined ||
  ((limits.wildcardAvailable || !hasWildcard(filter)) &&
    (limits.sharedAvailable !== false || !isShared(filter)))
