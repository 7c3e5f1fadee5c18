// What a cloud's broker does not permit, as rules on single packets; the defaults are what AWS IoT Core documents.

import type { IConnectPacket, IPublishPacket, ISubscribePacket } from 'mqtt-packet'

/** The rules of a strict broker; `undefined` switches a rule off. */
export interface StrictRules {
  /** who may publish where; by default everybody everywhere */
  readonly mayPublish: (clientId: string, topic: string) => boolean
  /** who may subscribe to what; by default everybody to everything */
  readonly maySubscribe: (clientId: string, filter: string) => boolean
  /** ClientIds that are accepted; by default 1 to 128 octets that do not begin with "$" */
  readonly mayConnect: (clientId: string) => boolean
  /** the highest QoS of a PUBLISH or a will; a SUBSCRIBE at a higher one is granted this one */
  readonly maximumQos: 0 | 1
  /** levels of a topic or filter: 8, which is 7 slashes */
  readonly topicLevels: number | undefined
  /** octets of a packet without its fixed header: 128 KiB */
  readonly packetSize: number | undefined
  /** seconds of keep-alive: 30 to 1200 */
  readonly keepAlive: readonly [minimum: number, maximum: number] | undefined
  /** whether PUBLISH and wills may have Retain set */
  readonly retain: boolean
  /** PUBLISH packets of one connection within one second: 100 */
  readonly publishesPerSecond: number | undefined
  /** filters of one SUBSCRIBE: 8 */
  readonly filtersPerSubscribe: number | undefined
}

export const strictDefaults: StrictRules = {
  mayPublish: () => true,
  maySubscribe: () => true,
  mayConnect: (clientId) => !clientId.startsWith('$') && within(Buffer.byteLength(clientId), 1, 128),
  maximumQos: 1,
  topicLevels: 8,
  packetSize: 128 * 1024,
  keepAlive: [30, 1200],
  retain: true,
  publishesPerSecond: 100,
  filtersPerSubscribe: 8,
}

/** A broken rule: in words for assertions, and as the reason code of MQTT 5. */
export interface Breach {
  readonly reason: string
  readonly code: number
}

const within = (value: number, minimum: number, maximum: number) => value >= minimum && value <= maximum
const levelsOf = (topic: string) => topic.split('/').length

/** What a CONNECT breaks. */
export function breachOfConnect(rules: StrictRules, packet: IConnectPacket): Breach | undefined {
  const { clientId, keepalive = 0, will } = packet
  if (!rules.mayConnect(clientId)) return { reason: 'ClientId not permitted', code: 0x85 }
  if (rules.keepAlive !== undefined && !within(keepalive, ...rules.keepAlive)) {
    return { reason: 'keep-alive not permitted', code: 0x83 }
  }
  if (will === undefined) return breachOfSize(rules, packet)
  const { topic, qos = 0, retain = false } = will
  return breachOfMessage(rules, clientId, { topic, qos, retain }) ?? breachOfSize(rules, packet)
}

/** What a PUBLISH breaks. */
export function breachOfPublish(
  rules: StrictRules,
  clientId: string,
  packet: IPublishPacket,
): Breach | undefined {
  return breachOfSize(rules, packet) ?? breachOfMessage(rules, clientId, packet)
}

/** What a SUBSCRIBE breaks. */
export function breachOfSubscribe(
  rules: StrictRules,
  clientId: string,
  packet: ISubscribePacket,
): Breach | undefined {
  const { filtersPerSubscribe: most = Number.POSITIVE_INFINITY, topicLevels } = rules
  if (packet.subscriptions.length > most) return { reason: 'too many filters', code: 0x97 }
  for (const { topic } of packet.subscriptions) {
    if (levelsOf(topic) > (topicLevels ?? Number.POSITIVE_INFINITY)) return tooDeep(0x8f)
    if (!rules.maySubscribe(clientId, topic)) return { reason: 'subscribe not permitted', code: 0x87 }
  }
  return breachOfSize(rules, packet)
}

const tooDeep = (code: number): Breach => ({ reason: 'too many topic levels', code })

function breachOfSize({ packetSize }: StrictRules, { length = 0 }: { length?: number }): Breach | undefined {
  return length > (packetSize ?? Number.POSITIVE_INFINITY)
    ? { reason: 'packet too large', code: 0x95 }
    : undefined
}

function breachOfMessage(
  rules: StrictRules,
  clientId: string,
  { topic, qos, retain }: { topic: string; qos: number; retain: boolean },
): Breach | undefined {
  if (qos > rules.maximumQos) return { reason: `QoS ${qos}`, code: 0x9b }
  if (retain && !rules.retain) return { reason: 'retain not permitted', code: 0x9a }
  if (levelsOf(topic) > (rules.topicLevels ?? Number.POSITIVE_INFINITY)) return tooDeep(0x90)
  if (!rules.mayPublish(clientId, topic)) return { reason: 'publish not permitted', code: 0x87 }
  return undefined
}
