// The strict broker does what it says: what is permitted arrives, what is not ends the connection with a reason.

import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import { afterEach, describe, expect, it } from 'vitest'
import { freshName, until } from './gateway.ts'
import { type StrictBroker, type StrictOptions, startStrictBroker } from './strict-broker.ts'

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function strict(options: StrictOptions = {}): Promise<StrictBroker> {
  const broker = await startStrictBroker(options)
  ends.push(() => broker.close())
  return broker
}

interface Client extends MqttClient {
  readonly texts: string[]
}

/** A client that does not come back; resolves when CONNACK has come or the broker has hung up. */
async function client({ url }: StrictBroker, options: IClientOptions = {}): Promise<Client> {
  const one = connect(url, {
    clientId: freshName(),
    reconnectPeriod: 0,
    keepalive: 60,
    protocolVersion: 4,
    ...options,
  })
  const texts: string[] = []
  one.on('error', () => {})
  one.on('message', (topic, payload, { qos, retain }) =>
    texts.push(`${topic} ${payload} ${qos}${retain ? ' retained' : ''}`),
  )
  ends.push(() => one.endAsync(true))
  await new Promise<void>((resolve) => {
    one.once('connect', () => resolve())
    one.once('close', () => resolve())
  })
  return Object.assign(one, { texts })
}

const reasons = (broker: StrictBroker) => broker.of('closed').map(({ reason }) => reason)

describe.each([4, 5] as const)('a strict broker, MQTT protocol version %i', (protocolVersion) => {
  const mqtt5 = protocolVersion === 5

  it('carries what is permitted: QoS 0 and 1, retained messages, wills', async () => {
    const broker = await strict({ mqtt5 })
    const listener = await client(broker, { protocolVersion })
    await listener.subscribeAsync('a/#', { qos: 2 })
    const will = { topic: 'a/will', payload: Buffer.from('gone'), qos: 1 as const, retain: false }
    const speaker = await client(broker, { protocolVersion, will })
    speaker.publish('a/0', 'zero')
    await speaker.publishAsync('a/1', 'one', { qos: 1, retain: true })
    speaker.stream.destroy()
    await until(() => listener.texts.length === 3)
    expect(listener.texts).toEqual(['a/0 zero 0', 'a/1 one 1', 'a/will gone 1'])
    const late = await client(broker, { protocolVersion })
    await late.subscribeAsync('a/+', { qos: 0 })
    await until(() => late.texts.length === 1)
    expect(late.texts).toEqual(['a/1 one 0 retained'])
    expect(reasons(broker)).toEqual([])
  })

  it('keeps the messages of an absent client, and those that it did not acknowledge', async () => {
    const broker = await strict({ mqtt5 })
    const clientId = freshName()
    const options = {
      protocolVersion,
      clientId,
      clean: false,
      ...(mqtt5 && { properties: { sessionExpiryInterval: 60 } }),
    }
    const before = await client(broker, options)
    await before.subscribeAsync('kept', { qos: 1 })
    await before.endAsync()
    const speaker = await client(broker, { protocolVersion })
    await speaker.publishAsync('kept', 'meanwhile', { qos: 1 })
    const after = await client(broker, options)
    await until(() => after.texts.length === 1)
    expect(after.texts).toEqual(['kept meanwhile 1'])
  })

  it.each<[string, StrictOptions, (one: Client) => unknown]>([
    ['QoS 2', {}, (one) => one.publish('a', 'm', { qos: 2 })],
    ['too many topic levels', {}, (one) => one.publish('1/2/3/4/5/6/7/8/9', 'm', { qos: 1 })],
    ['too many topic levels', {}, (one) => one.subscribe('1/2/3/4/5/6/7/8/#')],
    ['packet too large', { tellsLimits: false }, (one) => one.publish('a', Buffer.alloc(128 * 1024))],
    ['publish not permitted', { mayPublish: (id, topic) => topic === id }, (one) => one.publish('b', 'm')],
    ['subscribe not permitted', { maySubscribe: () => false }, (one) => one.subscribe('b')],
    [
      'retain not permitted',
      { retain: false, tellsLimits: false },
      (one) => one.publish('a', 'm', { retain: true }),
    ],
    ['too many filters', {}, (one) => one.subscribe(Array.from({ length: 9 }, (_, i) => `t${i}`))],
    ['publish rate', { publishesPerSecond: 3 }, (one) => [1, 2, 3, 4].map(() => one.publish('a', 'm'))],
  ])('hangs up: %s', async (reason, options, offend) => {
    const broker = await strict({ mqtt5, tellsLimits: false, ...options })
    const one = await client(broker, { protocolVersion })
    expect(one.connected).toBe(true)
    offend(one)
    await until(() => !one.connected)
    expect(reasons(broker)).toEqual([reason])
  })

  it.each<[string, StrictOptions, IClientOptions]>([
    ['keep-alive not permitted', {}, { keepalive: 29 }],
    ['keep-alive not permitted', {}, { keepalive: 1201 }],
    ['ClientId not permitted', {}, { clientId: '$a' }],
    ['ClientId not permitted', {}, { clientId: 'x'.repeat(129) }],
    ['ClientId not permitted', { mayConnect: (id) => id === 'known' }, { clientId: 'unknown' }],
    ['QoS 2', {}, { will: { topic: 'a', payload: Buffer.from('w'), qos: 2 } }],
    [
      'publish not permitted',
      { mayPublish: () => false },
      { will: { topic: 'a', payload: Buffer.from('w') } },
    ],
  ])('refuses a CONNECT: %s', async (reason, options, offer) => {
    const broker = await strict({ mqtt5, ...options })
    const one = await client(broker, { protocolVersion, ...offer })
    expect(one.connected).toBe(false)
    expect(reasons(broker)).toEqual([reason])
  })

  it('has one connection per ClientId: the older one is closed, its will published', async () => {
    const broker = await strict({ mqtt5 })
    const clientId = freshName()
    const will = { topic: 'will', payload: Buffer.from('gone'), qos: 0 as const, retain: false }
    const listener = await client(broker, { protocolVersion })
    await listener.subscribeAsync('will')
    const older = await client(broker, { protocolVersion, clientId, will })
    const younger = await client(broker, { protocolVersion, clientId })
    await until(() => !older.connected)
    await until(() => listener.texts.length === 1)
    expect(younger.connected).toBe(true)
    expect(broker.of('closed')).toEqual([{ type: 'closed', clientId, reason: 'taken over' }])
  })

  it('records who came, what was said and how it ended', async () => {
    const broker = await strict({ mqtt5 })
    const clientId = freshName()
    const one = await client(broker, { protocolVersion, clientId })
    await one.subscribeAsync('a', { qos: 1 })
    await one.publishAsync('a', 'm', { qos: 1 })
    await one.endAsync()
    await until(() => broker.of('ended', clientId).length === 1)
    expect(broker.events).toEqual([
      { type: 'connect', clientId, version: protocolVersion, clean: true, keepAlive: 60 },
      { type: 'subscribe', clientId, filters: ['a'] },
      { type: 'publish', clientId, topic: 'a', text: 'm', qos: 1, retain: false, dup: false },
      { type: 'ended', clientId, politely: true },
    ])
  })
})

it('refuses MQTT 5 unless told otherwise, and tells limits if it speaks it', async () => {
  const old = await strict()
  const refused = await client(old, { protocolVersion: 5 })
  expect([refused.connected, reasons(old)]).toEqual([false, ['MQTT 5']])
  const broker = await strict({ mqtt5: true, retain: false })
  const told: unknown[] = []
  const one = connect(broker.url, { protocolVersion: 5, keepalive: 60, reconnectPeriod: 0 })
  ends.push(() => one.endAsync(true))
  one.on('connect', ({ properties }) => told.push(properties))
  await until(() => told.length === 1)
  expect(told).toEqual([{ maximumQoS: 1, retainAvailable: false, maximumPacketSize: 131_072 }])
})
