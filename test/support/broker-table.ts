// The brokers that exist on this machine, and stories that are left out, by name, where a broker lacks what they need.

import { afterAll, beforeAll, it } from 'vitest'
import {
  type Broker,
  can,
  haveMosquitto,
  type MosquittoOptions,
  startAedes,
  startMosquitto,
} from './broker.ts'
import { type Ability, factsOf, hasAbility } from './broker-abilities.ts'
import { haveNats, startNats } from './nats.ts'
import { haveRabbitMq, startRabbitMq } from './rabbitmq.ts'
import { startStrictBroker } from './strict-broker.ts'

/** One row of `describe.each(brokersUnderTest())`. */
export interface BrokerUnderTest {
  /** the broker and the road to it */
  readonly name: string
  /** the broker as the table of abilities calls it */
  readonly broker: string
  readonly version: '3.1.1' | '5'
  start(): Promise<Broker>
}

/** Milliseconds that a hook may take which starts a broker: RabbitMQ takes 10 s on an idle machine. */
export const BROKER_START = 100_000

/** Every kind of broker and road that the gateway must work with and that exists on this machine. */
export function brokersUnderTest(): BrokerUnderTest[] {
  const list: BrokerUnderTest[] = []
  const add = (broker: string, road: string, version: '3.1.1' | '5', start: () => Promise<Broker>) =>
    list.push({ name: `${broker}, ${road}`, broker, version, start })
  const addMosquitto = (road: string, version: '3.1.1' | '5', options: MosquittoOptions) =>
    add('Mosquitto', road, version, () => startMosquitto(options))
  add('Aedes', 'MQTT 3.1.1', '3.1.1', () => startAedes())
  if (haveMosquitto) {
    addMosquitto('MQTT 3.1.1', '3.1.1', {})
    addMosquitto('MQTT 5', '5', {})
    addMosquitto('MQTT 5 over WebSocket', '5', { ws: true })
    if (can('openssl', ['version'], 'OpenSSL')) {
      addMosquitto('MQTT 5 over TLS', '5', { tls: true })
      addMosquitto('MQTT 3.1.1 over TLS and WebSocket', '3.1.1', { tls: true, ws: true })
    }
  }
  if (haveRabbitMq) add('RabbitMQ', 'MQTT 3.1.1', '3.1.1', startRabbitMq)
  if (haveNats) add('NATS', 'MQTT 3.1.1', '3.1.1', startNats)
  for (const version of ['3.1.1', '5'] as const) {
    add('Strict', `MQTT ${version}`, version, () => startStrictBroker({ mqtt5: true }))
  }
  for (const { broker, url } of foreignBrokers()) {
    add(broker, 'MQTT 3.1.1', '3.1.1', () => joinForeign(url))
    if (hasAbility(broker, 'MQTT 5')) add(broker, 'MQTT 5', '5', () => joinForeign(url))
  }
  return list
}

/**
 * Starts RabbitMQ, which takes its time, before the first story of a file, so that it is there when its stories begin. Resolves to the
 * broker of a row, to be closed by who asks for it.
 */
export function startAhead(rows: readonly BrokerUnderTest[]): (row: BrokerUnderTest) => Promise<Broker> {
  const begun = new Map<BrokerUnderTest, Promise<Broker>>()
  beforeAll(() => {
    for (const row of rows.filter(({ broker }) => broker === 'RabbitMQ')) {
      const starting = row.start()
      starting.catch(() => undefined) // told to who asks for it
      begun.set(row, starting)
    }
  })
  afterAll(async () => {
    // those that nobody has asked for
    for (const starting of begun.values()) await (await starting.catch(() => undefined))?.close()
  }, BROKER_START)
  return (row) => {
    const starting = begun.get(row)
    begun.delete(row)
    return starting ?? row.start()
  }
}

/** Every broker that exists on this machine once, as it is reached in plain MQTT. */
export function oneOfEachBroker(): BrokerUnderTest[] {
  const all = brokersUnderTest()
  return all.filter(({ broker }, index) => all.findIndex((other) => other.broker === broker) === index)
}

/** Brokers that run already, from the environment: `MQTTSN_TEST_BROKER=HiveMQ CE=mqtt://127.0.0.1:1883,...`. */
function foreignBrokers(): { broker: string; url: string }[] {
  const text = process.env['MQTTSN_TEST_BROKER'] ?? ''
  return text
    .split(',')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [, broker, url] = /^([^=]+)=(mqtts?:\/\/.+)$/.exec(entry.trim()) ?? []
      if (broker === undefined || url === undefined) {
        throw new Error(`MQTTSN_TEST_BROKER: "${entry}" is not name=mqtt://host:port`)
      }
      return { broker, url }
    })
}

async function joinForeign(url: string): Promise<Broker> {
  return { url, port: Number(new URL(url).port || 1883), close: async () => {} }
}

type QoS = 0 | 1 | 2

/** The QoS levels that a broker carries in both directions. */
export function qosLevels({ broker }: Pick<BrokerUnderTest, 'broker'>): QoS[] {
  const both: Ability[] = ['QoS 2 towards the broker', 'QoS 2 from the broker']
  return both.every((ability) => hasAbility(broker, ability)) ? [0, 1, 2] : [0, 1]
}

/** What a story of this QoS needs. */
export const needsOfQos = (qos: QoS): Ability[] =>
  qos === 2 ? ['QoS 2 towards the broker', 'QoS 2 from the broker'] : []

/**
 * Declares a story with one broker: skipped, with the reason in its name, if the broker lacks an ability that it needs,
 * or if the table knows it to fail by a fault of the gateway.
 */
export type Story = (name: string, needs: readonly Ability[], body: () => Promise<void>) => void

/** Stories of a broker, to be used like `it`; `concurrent` ones run beside each other. */
export function storiesWith(
  row: Pick<BrokerUnderTest, 'broker' | 'version'>,
  { concurrent = false }: { readonly concurrent?: boolean } = {},
): Story {
  return (name, needs, body) => {
    const reason = reasonToSkip(row, name, needs)
    if (reason !== undefined) it.skip(`${name} (${reason})`, body)
    else if (concurrent) it.concurrent(name, body)
    else it(name, body)
  }
}

function reasonToSkip(
  { broker, version }: Pick<BrokerUnderTest, 'broker' | 'version'>,
  name: string,
  needs: readonly Ability[],
): string | undefined {
  const { lacks = {}, knownFaults = [] } = factsOf(broker) ?? {}
  const lacking = needs.find((ability) => lacks[ability] !== undefined)
  if (lacking !== undefined) return `${broker} lacks ${lacking}: ${lacks[lacking]}`
  const fault = knownFaults.find((one) => name.startsWith(one.story) && (one.version ?? version) === version)
  return fault && `known fault: ${fault.symptom}`
}

/** What a story of wills needs: in MQTT 5 the gateway's sessions last, and it asks for a will by DISCONNECT. */
export const needsOfWills = ({ version }: Pick<BrokerUnderTest, 'version'>): Ability[] =>
  version === '5' ? ['wills', 'wills of lasting sessions', 'wills by DISCONNECT'] : ['wills']
