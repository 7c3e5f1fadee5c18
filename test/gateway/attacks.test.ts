// One honest sensor beside an attack: it keeps its messages both ways and its keep-alive. Attacks are bounded, and stay on loopback.

import { createSocket } from 'node:dgram'
import { describe, expect, it, onTestFinished } from 'vitest'
import { encode } from '../../src/codec/v1/frame.ts'
import type { Packet } from '../../src/codec/v1/messages.ts'
import { startAedes } from '../support/broker.ts'
import { aWhile, Office, TestGateway, until } from '../support/gateway.ts'

/** Messages of the honest sensor each way, and milliseconds between two. */
const MESSAGES = 80
const PAUSE = 15

type Send = (packet: Packet) => void

/** A sender of its own address, which hears nothing. */
async function attacker(test: TestGateway, address: string): Promise<Send> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, address, resolve))
  onTestFinished(() => void socket.close())
  const port = Number(new URL(test.url()).port)
  return (packet) => socket.send(encode(packet), port, '127.0.0.1')
}

const connect = (clientId: string, cleanSession: boolean): Packet => ({
  type: 'connect', will: false, cleanSession, protocolId: 1, duration: 600, clientId,
}) // biome-ignore format: one line reads better
const subscribe = (topicName: string): Packet => ({
  type: 'subscribe', dup: false, qos: 1, msgId: 1, topicIdType: 'normal', topicName,
}) // biome-ignore format: one line reads better

interface Attack {
  readonly name: string
  readonly config: Record<string, unknown>
  /** called once before, and in every pause of the honest sensor */
  readonly begin?: (test: TestGateway, office: Office) => Promise<void>
  readonly step: (send: Send, i: number) => void
  readonly office?: (office: Office, i: number) => Promise<void>
}

const attacks: readonly Attack[] = [
  {
    name: 'QoS -1 messages to topics that brokers hang up at',
    config: {},
    step: (send, i) => {
      for (const topicId of [0x610a, 0x2b2b, 0x6162])
        send({ type: 'publish', dup: false, qos: -1, retain: false, topicIdType: 'short', topicId, msgId: 0, data: Buffer.from(`${i}`) })
    }, // biome-ignore format: one line reads better
  },
  {
    name: 'sleepers whose queues fill what all may have',
    config: { limits: { totalQueuedMessages: 300, queuedMessages: 100 } },
    async begin(test, office) {
      for (let i = 0; i < 4; i++) {
        const sleeper = await test.connected({ keepAlive: 600, autoPing: false })
        await sleeper.subscribe('flood', 1)
        await sleeper.sleep(600)
      }
      for (let i = 0; i < 100; i++) await office.publish('flood', '')
      await until(() => test.gateway.rules.env.totals.queuedMessages >= 250)
    },
    step: () => {},
    office: (office) => office.publish('flood', ''),
  },
  {
    name: 'stored sessions with ever new ClientIds from one address',
    config: { limits: { sensors: 60 } },
    step: (send, i) => {
      for (let j = 0; j < 4; j++) send(connect(`fresh-${i}-${j}`, false))
    },
  },
  {
    name: 'a flood of CONNECTs from one address',
    config: { limits: { connectsPerAddress: 100 } },
    step: (send, i) => {
      for (let j = 0; j < 60; j++) send(connect(`flood-${(i * 60 + j) % 500}`, true))
    },
  },
  {
    name: 'a forged subscriber that never answers',
    config: {},
    step: (send, i) => {
      if (i === 0) send(connect('forged', true))
      if (i === 5) send(subscribe('much'))
    },
    office: (office) => office.publish('much', 'x'.repeat(200)),
  },
]

describe.each(attacks)('beside $name', ({ config, begin, step, office: more }) => {
  it('an honest sensor keeps 97 % of its messages both ways, and its keep-alive [SN-ROB-1]', async () => {
    const broker = await startAedes()
    onTestFinished(() => broker.close())
    const test = await TestGateway.start(broker, config)
    onTestFinished(() => test.stop())
    const office = await Office.at(broker, 'honest/up')
    onTestFinished(() => office.close())
    const honest = await test.connected({ keepAlive: 1 })
    await honest.subscribe('honest/down', 1)
    await begin?.(test, office)
    const send = await attacker(test, '127.0.0.9')
    let acknowledged = 0
    const waiting: Promise<unknown>[] = []
    for (let i = 0; i < MESSAGES; i++) {
      step(send, i)
      await more?.(office, i)
      const one = honest.publish('honest/up', `${i}`, { qos: 1 }).then(
        () => {
          acknowledged += 1
        },
        () => {}, // counted by its absence
      )
      waiting.push(one)
      await office.publish('honest/down', `${i}`)
      await aWhile(PAUSE)
    }
    await Promise.all(waiting)
    const most = Math.ceil(MESSAGES * 0.97)
    expect(acknowledged).toBeGreaterThanOrEqual(most)
    await until(() => honest.inbox.all.length >= most)
    await until(() => office.inbox.all.length >= most)
    expect(test.stateOf(honest)).toBe('active')
    await (await test.connected()).publish('honest/up', 'of a newcomer', { qos: 1 })
    expect(test.gateway.isHealthy()).toBe(true)
    expect(test.gateway.status().counters.faults).toBe(0)
  })
})
