// What a broker sends that nobody can be given: it is acknowledged and counted, and what is behind it arrives.

import { afterEach, describe, expect, it } from 'vitest'
import type { UpstreamDrop } from '../../src/upstream/upstream.ts'
import { startScriptedBroker } from '../support/scripted.ts'
import { Rig, text } from './harness.ts'

const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

const impossible: [string, number[]][] = [
  ['no topic', []],
  ['a wildcard', [...Buffer.from('a/#')]],
  ['a wildcard for one level', [...Buffer.from('a/+/b')]],
  ['NUL', [0x61, 0]],
  ['a topic that is no UTF-8', [0xc3, 0x28]],
]

describe.each(['3.1.1', '5'] as const)('a message of the broker, MQTT %s', (version) => {
  const properties = version === '5' ? [0] : []

  async function connected() {
    const broker = await startScriptedBroker()
    ends.push(() => broker.close())
    const dropped: UpstreamDrop[] = []
    const rig = new Rig(broker, { version, onDropped: (reason) => dropped.push(reason) })
    ends.push(() => rig.close())
    const sensor = rig.sensor()
    await sensor.open('sensor')
    const peer = broker.peers.find(({ clientId }) => clientId === 'sensor')
    return { broker, dropped, sensor, peer }
  }

  it.each(impossible)('with %s is acknowledged at its QoS, and the next one arrives', async (_, topic) => {
    const { broker, dropped, sensor, peer } = await connected()
    for (const qos of [0, 1, 2]) {
      const body = [0, topic.length, ...topic, ...(qos > 0 ? [0, qos] : []), ...properties, 0x78]
      peer?.sendBytes(0x30 + 2 * qos, body.length, ...body)
    }
    peer?.send({ cmd: 'publish', topic: 'a', payload: 'next', qos: 0, dup: false, retain: false })
    expect(text((await sensor.next('message')).message.payload)).toBe('next')
    const { packet: puback } = await broker.saw(({ cmd }) => cmd === 'puback')
    const { packet: pubrec } = await broker.saw(({ cmd }) => cmd === 'pubrec')
    const { packet: pubcomp } = await broker.saw(({ cmd }) => cmd === 'pubcomp')
    expect([puback.messageId, pubrec.messageId, pubcomp.messageId]).toEqual([1, 2, 2])
    expect(sensor.events.map(({ type }) => type)).toEqual(['connected', 'message'])
    expect(dropped).toEqual(['invalid-from-broker', 'invalid-from-broker', 'invalid-from-broker'])
  })
})
