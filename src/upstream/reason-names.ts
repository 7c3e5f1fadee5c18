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

/** Reason codes of MQTT 5 that report a failure. */
const REASON_CODES: Readonly<Record<number, string>> = {
  128: 'unspecified error',
  129: 'malformed packet',
  130: 'protocol error',
  131: 'implementation specific error',
  132: 'unsupported protocol version',
  133: 'client identifier not valid',
  134: 'bad user name or password',
  135: 'not authorized',
  136: 'server unavailable',
  137: 'server busy',
  138: 'banned',
  139: 'server shutting down',
  140: 'bad authentication method',
  141: 'keep alive timeout',
  142: 'session taken over',
  143: 'topic filter invalid',
  144: 'topic name invalid',
  145: 'packet identifier in use',
  146: 'packet identifier not found',
  147: 'receive maximum exceeded',
  148: 'topic alias invalid',
  149: 'packet too large',
  150: 'message rate too high',
  151: 'quota exceeded',
  152: 'administrative action',
  153: 'payload format invalid',
  154: 'retain not supported',
  155: 'QoS not supported',
  156: 'use another server',
  157: 'server moved',
  158: 'shared subscriptions not supported',
  159: 'connection rate exceeded',
  160: 'maximum connect time',
  161: 'subscription identifiers not supported',
  162: 'wildcard subscriptions not supported',
}

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

/** Name and number of an MQTT 5 reason code, such as `not authorized (0x87)`; just the number if it has no name. */
export const reasonText = (code: number): string => named(REASON_CODES[code], code)

/** The same of a CONNACK of either version. */
export const connackText = (version: 4 | 5, code: number): string =>
  named(version === 5 ? REASON_CODES[code] : (RETURN_CODES[code] ?? REASON_CODES[code]), code)

/** The keys that may be wrong where a CONNECT was answered like this; undefined if none is. */
export function keysFor(version: 4 | 5, code: number, who: string): string | undefined {
  const name = (version === 4 ? RETURN_CODES[code] : undefined) ?? REASON_CODES[code]
  return name === undefined ? undefined : KEYS[name]?.(who)
}

const named = (name: string | undefined, code: number): string =>
  name === undefined ? hex(code) : `${name} (${hex(code)})`
