// Messages of senders without a connection, at a broker that says no by hanging up: nobody but the forbidden topic suffers.

import { afterEach, describe, expect, it } from 'vitest'
import type { UpstreamDrop, UpstreamOptions } from '../../src/upstream/upstream.ts'
import { startAedes } from '../support/broker.ts'
import { type ScriptedBroker, startScriptedBroker } from '../support/scripted.ts'
import { startStrictBroker } from '../support/strict-broker.ts'
import type { StrictRules } from '../support/strict-rules.ts'
import { bytes, pause, Rig } from './harness.ts'

const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** An upstream that records what it drops and warns of; with `own` as the ClientId of the gateway. */
async function open(url: string, changes: Partial<UpstreamOptions> = {}) {
  const dropped: UpstreamDrop[] = []
  const warnings: object[] = []
  const outages: object[] = []
  const nothing = () => undefined
  const log = {
    debug: nothing,
    info: nothing,
    error: nothing,
    warn(fields: object, message: string) {
      if (message.includes('this topic')) warnings.push(fields)
      else outages.push(fields)
    },
  }
  const rig = new Rig(
    { url },
    { own: { clientId: 'own' }, onDropped: (reason) => dropped.push(reason), log, ...changes },
  )
  ends.push(() => rig.close())
  while (!rig.upstream.healthy) await pause(5)
  const say = (topic: string, text: string, source = '10.0.0.1', retain = false) =>
    rig.upstream.publishAnonymous(topic, bytes(text), retain, source)
  return { rig, dropped, warnings, outages, say }
}

async function strict(rules: Partial<StrictRules> & { mqtt5?: boolean }) {
  const broker = await startStrictBroker({ publishesPerSecond: undefined, ...rules })
  ends.push(() => broker.close())
  return broker
}

/** Messages that the broker has taken, in order. */
const taken = (broker: Awaited<ReturnType<typeof strict>>, fits: (topic: string) => boolean) =>
  broker.of('publish').filter(({ topic }) => fits(topic))

/** Whose connections the broker has closed, apart from those that asked for MQTT 5 in vain. */
const hungUp = (broker: Awaited<ReturnType<typeof strict>>) =>
  broker
    .of('closed')
    .filter(({ reason }) => reason !== 'MQTT 5')
    .map(({ clientId }) => clientId)

describe('QoS -1 at a broker that closes the connection at what it forbids', () => {
  it.each([
    ['3.1.1', false, 'each a topic of its own'],
    ['5', true, 'each a topic of its own'],
    ['3.1.1', false, 'one topic for all'],
  ])(
    'every message of ten honest buttons arrives, once and in order: MQTT %s, %s, %s',
    async (_, mqtt5, topics) => {
      const broker = await strict({ mqtt5, mayPublish: (_id, topic) => !topic.startsWith('forbidden') })
      const { rig, outages, dropped, warnings, say } = await open(broker.url)
      const topicOf = (button: number) => (topics === 'one topic for all' ? 'honest' : `honest/${button}`)
      const expected: string[] = []
      for (let round = 0; round < 20; round++) {
        say('forbidden/topic', 'bad', '10.6.6.6')
        for (let button = 0; button < 10; button++) {
          expected.push(`${button} ${round}`)
          say(topicOf(button), `${button} ${round}`, `10.0.0.${button}`)
        }
        await pause(20)
        expect(rig.upstream.healthy).toBe(true)
      }
      while (taken(broker, (topic) => topic.startsWith('honest')).length < 200) await pause(20)
      await pause(50)
      const texts = taken(broker, (topic) => topic.startsWith('honest')).map(({ text }) => text)
      expect([...texts].sort()).toEqual([...expected].sort())
      for (let button = 0; button < 10; button++) {
        const own = texts.filter((text) => text.startsWith(`${button} `))
        expect(own).toEqual(own.map((_text, i) => `${button} ${i}`))
      }
      expect(outages).toEqual([])
      expect(hungUp(broker)).toEqual(['own-t', 'own-t'])
      expect(dropped.every((reason) => reason === 'suspended-topic')).toBe(true)
      expect(dropped.length).toBe(20)
      expect(warnings).toMatchObject([{ topic: 'forbidden/topic', from: '10.6.6.6', seconds: 30 }])
    },
  )

  it('hundreds of forbidden topics of one stranger do not keep back what others say', async () => {
    const broker = await strict({ mayPublish: (_id, topic) => !topic.startsWith('forbidden') })
    const { say } = await open(broker.url)
    for (let i = 0; i < 400; i++) {
      say(`forbidden/${i}`, 'bad', '10.6.6.6')
      if (i % 20 === 0) {
        say(`honest/${i}`, 'good', '10.0.0.1')
        await pause(20)
      }
    }
    const honest = () => taken(broker, (topic) => topic.startsWith('honest')).length
    while (honest() < 20) await pause(20)
    expect(honest()).toBe(20)
  })

  it('a message that is longer or retained where that is forbidden costs nobody else anything', async () => {
    const broker = await strict({ packetSize: 200, retain: false })
    const { rig, say, dropped } = await open(broker.url)
    for (let i = 0; i < 10; i++) {
      say('a', `${i}`)
      say('b', 'x'.repeat(300), '10.6.6.6')
      say('c', 'retained', '10.6.6.7', true)
      await pause(20)
    }
    while (taken(broker, (topic) => topic === 'a').length < 10) await pause(20)
    expect([...new Set(hungUp(broker))]).toEqual(['own-t'])
    expect([rig.upstream.healthy, dropped.includes('suspended-topic')]).toEqual([true, true])
  })

  it('a broker that answers the ping first and closes after it is understood, too', async () => {
    const broker = await startAedes()
    ends.push(() => broker.close())
    const came: string[] = []
    broker.aedes.authorizePublish = (_client, { topic }, done) => {
      setTimeout(() => {
        if (topic === 'forbidden') return done(new Error('forbidden'))
        came.push(topic)
        done(null)
      }, 5)
    }
    const { rig, dropped, say } = await open(broker.url)
    const speak = async () => {
      say('forbidden', 'bad', '10.6.6.6')
      for (let button = 0; button < 10; button++) say(`honest/${button}`, 'good', `10.0.0.${button}`)
      await pause(100)
      expect(rig.upstream.healthy).toBe(true)
    }
    while (dropped.length === 0) await speak()
    const before = came.length
    for (let round = 0; round < 5; round++) await speak()
    while (came.length < before + 50) await pause(10)
    expect(new Set(dropped)).toEqual(new Set(['suspended-topic']))
  })

  it('a topic that is forbidden later is tried alone from then on', async () => {
    const broker = await strict({})
    const { rig, say, warnings } = await open(broker.url)
    for (const topic of ['a', 'b']) say(topic, 'first')
    while (taken(broker, () => true).length < 2) await pause(5)
    broker.rules = { ...broker.rules, mayPublish: (_id, topic) => topic !== 'a' }
    for (let i = 0; i < 60; i++) {
      say('a', 'forbidden now', '10.6.6.6')
      if (i >= 20) say('b', `${i}`)
      await pause(10)
    }
    expect(warnings).toMatchObject([{ topic: 'a' }])
    while (!taken(broker, (topic) => topic === 'b').some(({ text }) => text === '59')) await pause(10)
    expect(rig.upstream.healthy).toBe(true)
    expect(taken(broker, (topic) => topic === 'b').length).toBeGreaterThan(35)
  })

  it('a topic that is permitted again is published to when its pause is over', async () => {
    let skipped = 0
    const now = () => performance.now() + skipped
    const broker = await strict({ mayPublish: (_id, topic) => topic !== 'a' })
    const { say, dropped, warnings } = await open(broker.url, { now })
    say('a', '1')
    while (warnings.length === 0) await pause(10)
    broker.rules = { ...broker.rules, mayPublish: () => true }
    say('a', '2')
    skipped += 29_000
    say('a', '3')
    expect(dropped).toEqual(['suspended-topic', 'suspended-topic', 'suspended-topic'])
    skipped += 2000
    say('a', '4')
    while (!taken(broker, () => true).some(({ text }) => text === '4')) await pause(10)
  })
})

describe('the connections for QoS -1', () => {
  let broker: ScriptedBroker
  const topics = () =>
    broker.peers.flatMap(({ packets }) =>
      packets.flatMap((one) => (one.cmd === 'publish' ? [one.topic] : [])),
    )
  const peersOf = (clientId: string) => broker.peers.filter((peer) => peer.clientId === clientId)

  it('are opened at the first need, with ClientIds of their own', async () => {
    broker = await startScriptedBroker()
    ends.push(() => broker.close())
    const { say } = await open(broker.url)
    await pause(50)
    expect(broker.peers.map(({ clientId }) => clientId)).toEqual(['own'])
    say('a', '1')
    while (topics().length < 1) await pause(5)
    say('a', '2')
    while (topics().length < 2) await pause(5)
    expect(broker.peers.map(({ clientId }) => clientId)).toEqual(['own', 'own-t', 'own-q'])
  })

  it('may be down for a moment: messages wait, and arrive in order', async () => {
    const texts: string[] = []
    broker = await startScriptedBroker((_peer, packet) => {
      if (packet.cmd === 'publish') texts.push(String(packet.payload))
      return undefined
    })
    ends.push(() => broker.close())
    const { rig, say, dropped } = await open(broker.url)
    say('a', '0')
    while (topics().length < 1) await pause(5)
    say('a', '1')
    while (topics().length < 2) await pause(5)
    await pause(150) // the broker has confirmed it
    for (const peer of broker.peers) if (peer.clientId !== 'own') peer.cut()
    await pause(5)
    for (let i = 2; i < 10; i++) expect(say('a', `${i}`)).toBe(true)
    while (topics().length < 10) await pause(5)
    expect(texts).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
    expect([rig.upstream.healthy, dropped]).toEqual([true, []])
  })

  it('do not wait for ever for a broker that answers no ping', async () => {
    broker = await startScriptedBroker((peer, { cmd }) => cmd === 'pingreq' && peer.clientId !== 'own')
    ends.push(() => broker.close())
    const { say, dropped } = await open(broker.url, { connectTimeout: 100 })
    say('a', '1')
    while (dropped.length < 1) await pause(10)
    expect([dropped, peersOf('own-t').length]).toEqual([['suspended-topic'], 2])
  })

  it('that the broker does not want leave the gateway`s own alone, and few messages wait', async () => {
    broker = await startScriptedBroker((peer, { cmd }) => {
      if (cmd !== 'connect' || peer.clientId === 'own') return undefined
      peer.send({ cmd: 'connack', sessionPresent: false, returnCode: 5, reasonCode: 0x87 })
      return true
    })
    ends.push(() => broker.close())
    const { rig, say, dropped } = await open(broker.url)
    for (let i = 0; i < 300; i++) say(`t/${i}`, 'x', i < 280 ? '10.6.6.6' : '10.0.0.1')
    expect(dropped.length).toBe(44)
    expect(rig.upstream.healthy).toBe(true)
  })
})

describe('the gateway`s own connection', () => {
  it('stays up at a broker that hangs up at its status topics: it does without them for a while', async () => {
    const broker = await strict({ mayPublish: () => false })
    const { rig } = await open(broker.url)
    const { upstream } = rig
    const opened = () => broker.of('connect', 'own').length
    while (upstream.publishOwn('status', bytes('online'), true) || !upstream.healthy) await pause(5)
    const before = opened()
    for (let i = 0; i < 50; i++) {
      upstream.publishOwn('status', bytes('online'), true)
      await pause(5)
    }
    expect([opened(), upstream.healthy]).toEqual([before, true])
    expect(before).toBeLessThan(8)
  })
})
