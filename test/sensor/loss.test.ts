// A whole life of a Sensor on a link of our own that loses any one datagram, in either direction [6.13].

import { expect, it } from 'vitest'
import { decode, encode } from '../../src/codec/v1/frame.ts'
import type { Packet } from '../../src/codec/v1/messages.ts'
import { Sensor, type SensorTransport } from '../../src/sensor/sensor.ts'
import { acceptingGateway } from '../support/sensor.ts'

/** Loses the datagram with this number; all datagrams of both directions are counted together. */
function lossyLink(lost: number): SensorTransport & { count: number; toGateway: Packet[] } {
  const script = acceptingGateway()
  const link = {
    count: 0,
    toGateway: [] as Packet[],
    onReceive: (_: Uint8Array) => {},
    onError: () => {},
    close: () => {},
    passes: () => {
      link.count += 1
      return link.count !== lost
    },
    send(bytes: Uint8Array) {
      const packet = decode(bytes)
      if (packet.type === 'malformed') throw new Error(packet.reason)
      if (!link.passes()) return
      link.toGateway.push(packet)
      const heard = {
        packet,
        nodeId: undefined,
        hex: '',
        from: { address: '', port: 0, family: 'IPv4', size: 0 },
      }
      const answers = script(packet, heard as never)
      queueMicrotask(() => {
        for (const answer of answers) if (link.passes()) link.onReceive(encode(answer))
      })
    },
  }
  return link
}

async function live(lost: number): Promise<ReturnType<typeof lossyLink>> {
  const transport = lossyLink(lost)
  const will = { topic: 'will', message: 'gone' }
  const sensor = new Sensor({ clientId: 'dev1', transport, tRetry: 5, nRetry: 2, autoPing: false, will })
  const ended: string[] = []
  sensor.on('disconnected', (why) => ended.push(why))
  await sensor.connect()
  await sensor.publish('a/b', 'one', { qos: 1 })
  await sensor.publish('a/b', 'two', { qos: 2 })
  await sensor.subscribe('a/+', 1)
  await sensor.unsubscribe('a/+')
  await sensor.updateWillTopic('other')
  await sensor.updateWillMessage('lost')
  await sensor.ping()
  await sensor.sleep(10)
  await sensor.wake()
  await sensor.connect()
  await sensor.disconnect()
  expect(sensor.state).toBe('disconnected')
  expect(ended).toEqual([])
  sensor.close()
  return transport
}

it('ends the same whichever single datagram is lost', async () => {
  const { count } = await live(0)
  expect(count).toBe(32)
  for (let lost = 1; lost <= count; lost += 1) {
    const link = await live(lost)
    // The lost message again; if it was an answer, that as well.
    expect(link.count).toBeGreaterThan(count)
    const published = link.toGateway.filter(({ type }) => type === 'publish')
    const msgIds = new Set(published.map((packet) => (packet.type === 'publish' ? packet.msgId : 0)))
    expect(msgIds.size).toBe(2)
  }
})
