// The names of a broker's return and reason codes, as the specifications of MQTT 3.1.1 and 5 have them, and the configuration
// keys that the most usual ones point at.

import { hex } from './reason-codes.ts'

/** Return codes of an MQTT 3.1.1 CONNACK. */
const RETURN_CODES: Readonly<Record<number, string>> = {
  1: 'unacceptable protocol version',
  2: 'identifier rejected',
  3: 'server unavailable',
  4: 'bad user name or password',
  5: 'not authorized',
}

/** What MQTT 5 calls the codes that a broker may answer with [MQTT 2.4]. */
const REASON_CODES: ReadonlyMap<number, string> = new Map([
  [0x80, 'unspecified error'],
  [0x81, 'malformed packet'],
  [0x82, 'protocol error'],
  [0x83, 'implementation specific error'],
  [0x84, 'unsupported protocol version'],
  [0x85, 'client identifier not valid'],
  [0x86, 'bad user name or password'],
  [0x87, 'not authorized'],
  [0x88, 'server unavailable'],
  [0x89, 'server busy'],
  [0x8a, 'banned'],
  [0x8b, 'server shutting down'],
  [0x8c, 'bad authentication method'],
  [0x8d, 'keep alive timeout'],
  [0x8e, 'session taken over'],
  [0x8f, 'topic filter invalid'],
  [0x90, 'topic name invalid'],
  [0x91, 'packet identifier in use'],
  [0x92, 'packet identifier not found'],
  [0x93, 'receive maximum exceeded'],
  [0x94, 'topic alias invalid'],
  [0x95, 'packet too large'],
  [0x96, 'message rate too high'],
  [0x97, 'quota exceeded'],
  [0x98, 'administrative action'],
  [0x99, 'payload format invalid'],
  [0x9a, 'retain not supported'],
  [0x9b, 'QoS not supported'],
  [0x9c, 'use another server'],
  [0x9d, 'server moved'],
  [0x9e, 'shared subscriptions not supported'],
  [0x9f, 'connection rate exceeded'],
  [0xa0, 'maximum connect time'],
  [0xa1, 'subscription identifiers not supported'],
  [0xa2, 'wildcard subscriptions not supported'],
])

/** Names by what the keys that follow them are about; 'who' is the gateway itself or a rule for sensors. */
const KEYS: Readonly<Record<string, (who: string) => string>> = {
  'bad user name or password': (who) => `${who}.username and ${who}.password`,
  'not authorized': (who) =>
    `${who}.username and ${who}.password, and what the broker permits this user and ClientId`,
  'bad authentication method': (who) => `${who}.username and ${who}.password`,
  banned: (who) => `${who}.clientId`,
  'identifier rejected': (who) => `${who}.clientId`,
  'client identifier not valid': (who) => `${who}.clientId`,
  'unacceptable protocol version': () => 'broker.version',
  'unsupported protocol version': () => 'broker.version',
  'QoS not supported': () => 'broker.maximumQos and broker.unsupported',
  'retain not supported': () => 'broker.retain and broker.unsupported',
  'packet too large': () => 'broker.maximumPacketSize',
  'use another server': () => 'broker.url',
  'server moved': () => 'broker.url',
}

/** What MQTT 5 calls a reason code of 0x80 or above. */
export const reasonName = (code: number): string =>
  REASON_CODES.get(code) ?? 'a reason that MQTT does not know'

/** Name and number of an MQTT 5 reason code, such as `not authorized (0x87)`; just the number if it has no name. */
export const reasonText = (code: number): string => named(REASON_CODES.get(code), code)

/** The same of a CONNACK of either version. */
export const connackText = (version: 4 | 5, code: number): string =>
  named(version === 5 ? REASON_CODES.get(code) : (RETURN_CODES[code] ?? REASON_CODES.get(code)), code)

/** The keys that may be wrong where a CONNECT was answered like this; undefined if none is. */
export function keysFor(version: 4 | 5, code: number, who: string): string | undefined {
  const name = (version === 4 ? RETURN_CODES[code] : undefined) ?? REASON_CODES.get(code)
  return name === undefined ? undefined : KEYS[name]?.(who)
}

const named = (name: string | undefined, code: number): string =>
  name === undefined ? hex(code) : `${name} (${hex(code)})`
