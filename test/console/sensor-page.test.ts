// A sensor in depth, from the real API: what it publishes, what is delivered, what waits and why, and what is wrong, in red.

import { describe, expect, it, onTestFinished } from 'vitest'
import type { BrokerStep } from '../../src/console/contract/live.ts'
import type { SensorDetail } from '../../src/console/contract/sensors.ts'
import { Office } from '../support/gateway.ts'
import { startWatched, type WatchedGateway } from '../support/watched-gateway.ts'

const detailOf = ({ get }: WatchedGateway, clientId: string) =>
  get<SensorDetail>(`/api/sensors/${encodeURIComponent(clientId)}`)

async function officeAt({ test }: WatchedGateway): Promise<Office> {
  const office = await Office.at({ url: test.gateway.status().broker.url })
  onTestFinished(() => office.close())
  return office
}

describe('a sensor in depth', () => {
  it('tells what it publishes and what is delivered to it, by topic, with rates and the last refusal', async () => {
    const gateway = await startWatched()
    const office = await officeAt(gateway)
    const sensor = await gateway.test.connected()
    await sensor.subscribe('set', 1)
    for (const text of ['20', '21', '22']) await sensor.publish('hall/celsius', text, { qos: 1 })
    await office.publish('set', '60', { qos: 1 })
    await sensor.inbox.next()
    const { published, delivered, findings, refusals } = await detailOf(gateway, sensor.clientId)
    expect(published).toMatchObject([{ topic: 'hall/celsius', times: 3, qos: 1, octets: 2, refused: 0 }])
    expect(published[0]?.perMinute).toBeGreaterThan(0)
    expect(delivered).toMatchObject([{ topic: 'set', times: 1, octets: 2 }])
    expect([findings, refusals]).toEqual([[], []])
  })

  it('has a refused PUBLISH and SUBSCRIBE in its conversation, and names both in what was found', async () => {
    const gateway = await startWatched({ limits: { subscriptionsPerSensor: 1 } })
    const peer = await gateway.test.peer()
    const connect = { type: 'connect', will: false, cleanSession: true, protocolId: 1, duration: 60 } as const
    peer.send({ ...connect, clientId: 'odd' })
    await peer.next('connack')
    const publish = { type: 'publish', dup: false, qos: 1, retain: false, topicIdType: 'normal' } as const
    peer.send({ ...publish, topicId: 77, msgId: 5, data: new Uint8Array(1) })
    expect(await peer.next('puback')).toMatchObject({ returnCode: 2 })
    const subscribe = { type: 'subscribe', dup: false, qos: 1, topicIdType: 'normal' } as const
    peer.send({ ...subscribe, msgId: 6, topicName: 'one' })
    await peer.next('suback')
    peer.send({ ...subscribe, msgId: 7, topicName: 'one too many' })
    expect((await peer.next('suback')).returnCode).toBeGreaterThan(0)
    const { recent, findings, published } = await detailOf(gateway, 'odd')
    expect(recent.filter(({ refused }) => refused !== undefined).map(({ type }) => type)).toEqual([
      'PUBACK',
      'SUBACK',
    ])
    expect(published).toMatchObject([{ topic: 'topic id 77', refused: 1, lastCode: 2 }])
    const red = findings.filter(({ tone }) => tone === 'bad')
    const ids = red.map(({ id }) => id)
    expect(ids).toEqual(expect.arrayContaining(['publish: topic id 77', 'subscribe: one too many']))
    expect(ids).not.toContain('refused: topic-id-unknown') // one cause is one finding
    for (const { docs, next } of red)
      expect([docs, next]).toEqual([expect.stringMatching(/^\/docs\//), expect.any(String)])
  })

  it('says what waits, either way, and why', async () => {
    const gateway = await startWatched()
    const office = await officeAt(gateway)
    const sensor = await gateway.test.connected({ cleanSession: false })
    await sensor.subscribe('set', 1)
    await sensor.sleep(600)
    await office.publish('set', '60', { qos: 1 })
    await expect.poll(async () => (await detailOf(gateway, sensor.clientId)).queued).toBe(1)
    const { waiting, findings, held } = await detailOf(gateway, sensor.clientId)
    expect(waiting).toEqual([{ direction: 'toSensor', why: 'asleep', text: held, messages: 1, octets: 5 }])
    expect(findings).toMatchObject([{ id: 'asleep', tone: 'note' }])
  })

  it('keeps two hundred messages, without the PINGs of a sleeper', async () => {
    const gateway = await startWatched()
    const sensor = await gateway.test.connected({ cleanSession: false })
    for (let i = 0; i < 150; i++) await sensor.publish('n', String(i), { qos: 1 })
    expect((await detailOf(gateway, sensor.clientId)).recent).toHaveLength(200)
    await sensor.sleep(600)
    for (let i = 0; i < 5; i++) await sensor.wake()
    const { recent } = await detailOf(gateway, sensor.clientId)
    expect(recent.filter(({ type }) => type.startsWith('PING'))).toEqual([])
    expect(recent.slice(-2).map(({ type }) => type)).toEqual(['DISCONNECT', 'DISCONNECT'])
  })

  it('keeps the names of topics, and what was wrong, when it has departed', async () => {
    const gateway = await startWatched()
    const sensor = await gateway.test.connected()
    await sensor.publish('hall/door', 'open', { qos: 1 })
    await sensor.disconnect()
    const detail = await detailOf(gateway, sensor.clientId)
    expect(detail).toMatchObject({ departed: true, state: 'disconnected', why: 'DISCONNECT', registry: [] })
    expect(detail.recent.map(({ text }) => text)).toContain('QoS 1 hall/door, 4 octets')
    expect(detail.published).toMatchObject([{ topic: 'hall/door' }])
  })

  it('has the lane of the broker, live: what goes there and what it says', async () => {
    const gateway = await startWatched()
    const sensor = await gateway.test.connected()
    const abort = new AbortController()
    onTestFinished(() => abort.abort())
    const { body } = await fetch(`${gateway.url}/api/events?sensor=${sensor.clientId}`, {
      signal: abort.signal,
    })
    const steps: string[] = []
    const reading = (async () => {
      let text = ''
      for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += chunk
        steps.length = 0
        for (const [, data = ''] of text.matchAll(/event: broker\ndata: (.*)\n/g)) {
          const { direction, type, text: words, refused }: BrokerStep = JSON.parse(data)
          steps.push(`${direction} ${type} ${words} ${refused}`)
        }
        if (steps.length >= 2) return
      }
    })()
    await sensor.publish('hall/door', 'open', { qos: 1 })
    await reading
    expect(steps).toEqual([
      'toBroker publish QoS 1 hall/door, 4 octets false',
      'fromBroker published accepted false',
    ])
  })
})
