// What a page learns that is opened afterwards: losses, refusals, twins, drops, dead letters, the broker, reloads; bounded, and found again.

import { describe, expect, it, onTestFinished } from 'vitest'
import { encodeFrame } from '../../src/codec/v1/frame.ts'
import type {
  DropEntry,
  Happening,
  HappeningList,
  RefusalEntry,
} from '../../src/console/contract/happenings.ts'
import { haveMosquitto, startMosquitto } from '../support/broker.ts'
import { freshName } from '../support/gateway.ts'
import { startWatched, type WatchedGateway } from '../support/watched-gateway.ts'

const connect = (clientId: string) =>
  ({ type: 'connect', will: false, cleanSession: true, protocolId: 1, duration: 60, clientId }) as const

const happened = async ({ get }: WatchedGateway, query = ''): Promise<readonly Happening[]> =>
  (await get<HappeningList>(`/api/happenings${query}`)).items

/** Asks until an event of this kind is there. */
async function eventOf(gateway: WatchedGateway, kind: Happening['kind']): Promise<Happening> {
  await expect.poll(async () => (await happened(gateway, `?kind=${kind}`)).length).toBeGreaterThan(0)
  const [first] = await happened(gateway, `?kind=${kind}`)
  if (first === undefined) throw new Error('it is gone again')
  return first
}

describe('a refused sensor leaves a trace, with its address and the key to change', () => {
  it('also one whose session would have been clean', async () => {
    const gateway = await startWatched({ limits: { clientIdLength: 8 } })
    const peer = await gateway.test.peer()
    const clientId = `much-too-long-${freshName()}`
    for (let i = 0; i < 3; i++) {
      peer.send(connect(clientId))
      await peer.next('connack')
    }
    const address = `127.0.0.1:${peer.port}`
    const common = { clientId, address, times: 3, reason: 'client-id-too-long', key: 'limits.clientIdLength' }
    expect(await gateway.get<RefusalEntry[]>('/api/refusals')).toMatchObject([{ ...common, returnCode: 3 }])
    expect(await happened(gateway, `?sensor=${clientId}`)).toMatchObject([
      { ...common, kind: 'refused', tone: 'warn', docs: '/docs/operation#client-id-refused' },
    ])
  })

  it('and one whose forwarder is not listed', async () => {
    const gateway = await startWatched()
    const peer = await gateway.test.peer()
    peer.send(connect('hidden'), Uint8Array.of(7))
    const event = await eventOf(gateway, 'refused')
    expect(event).toMatchObject({
      address: `127.0.0.1:${peer.port}/07`,
      clientId: 'hidden',
      key: 'listeners[].forwarders',
    })
  })
})

describe('nothing is dropped without the address it came from', () => {
  it('whatever the reason: malformed, oversized, not allowed, from strangers, out of place', async () => {
    const gateway = await startWatched({ qosMinusOne: { topics: ['buttons/#'] } })
    const peer = await gateway.test.peer()
    peer.send('0318') // DISCONNECT cut off
    peer.send('080c626162000078') // QoS -1 to a topic that is not allowed
    peer.send('020d00'.padEnd(2 * 1500, '0'))
    peer.send(encodeHex({ type: 'pingresp' }))
    peer.send(encodeHex({ type: 'connack', returnCode: 0 }))
    peer.send(encodeHex({ type: 'register', topicId: 0, msgId: 1, topicName: 'a' }))
    const sensor = await gateway.test.connected()
    const drops = () => gateway.get<DropEntry[]>('/api/drops')
    await expect.poll(async () => (await drops()).length).toBeGreaterThanOrEqual(6)
    const found = await drops()
    for (const { address, times } of found) {
      expect(address).toBe(`127.0.0.1:${peer.port}`)
      expect(times).toBe(1)
    }
    const reasons = found.map(({ reason }) => reason)
    expect(reasons).toEqual(
      expect.arrayContaining(['not-allowed', 'unknown-sender', 'wrong-direction', 'unasked']),
    )
    const { counters } = gateway.test.gateway.status()
    expect(Object.keys(counters.dropped).sort()).toEqual([...new Set(reasons)].sort())
    const only = await gateway.get<DropEntry[]>('/api/drops?reason=unknown-sender')
    expect(only.map(({ reason }) => reason)).toEqual(['unknown-sender'])
    await sensor.disconnect()
  })

  it('and those of a sensor have its ClientId', async () => {
    const gateway = await startWatched({ limits: { queuedMessages: 2 } })
    const sensor = await gateway.test.connected({ cleanSession: false })
    await sensor.subscribe('many', 1)
    await sensor.sleep(600)
    const { clientId } = sensor
    const payload = Uint8Array.of(1)
    const session = gateway.test.gateway.sessions.byClientId.get(clientId)
    if (session === undefined) throw new Error('it is not there')
    for (let i = 0; i < 5; i++) {
      const message = { topic: 'many', payload, qos: 1, retain: false } as const
      gateway.test.gateway.dispatch(session, { type: 'message', message, ack: undefined, packetId: 0 })
    }
    expect(await gateway.get('/api/drops')).toMatchObject([{ reason: 'queue-full', times: 3, clientId }])
    expect(await happened(gateway, '?kind=dropped')).toMatchObject([
      { clientId, times: 3, reason: 'queue-full', key: expect.stringContaining('limits.queuedMessages') },
    ])
  })
})

describe('the events', () => {
  it('have no wake-ups and no ordinary connects among them', async () => {
    const gateway = await startWatched()
    const sensor = await gateway.test.connected({ cleanSession: false })
    for (let i = 0; i < 5; i++) {
      await sensor.sleep(60)
      await sensor.wake()
    }
    await sensor.disconnect()
    const kinds = new Set((await happened(gateway)).map(({ kind }) => kind))
    kinds.delete('broker')
    expect([...kinds]).toEqual([])
  })

  it('tell of two devices with one ClientId', async () => {
    const gateway = await startWatched()
    const clientId = freshName()
    const [one, other] = [await gateway.test.peer(), await gateway.test.peer()]
    for (let i = 0; i < 3; i++) {
      one.send(connect(clientId))
      other.send(connect(clientId))
    }
    const event = await eventOf(gateway, 'contested')
    expect(event).toMatchObject({ clientId, tone: 'bad' })
    const said = `${event.address} ${event.detail}`
    expect([said.includes(`:${one.port}`), said.includes(`:${other.port}`)]).toEqual([true, true])
    const { findings } = await gateway.get<{ findings: { id: string }[] }>(`/api/sensors/${clientId}`)
    expect(findings.map(({ id }) => id)).toContain('same-client-id')
  })

  it.skipIf(!haveMosquitto)(
    'tell that the broker went and came, and why it does not accept the gateway',
    {
      timeout: 30_000,
    },
    async () => {
      const broker = await startMosquitto()
      onTestFinished(() => broker.close())
      const gateway = await startWatched({}, broker)
      const texts = async () => (await happened(gateway, '?kind=broker')).map(({ text }) => text)
      await expect.poll(texts, { timeout: 5000 }).toEqual(['Connected to the broker.'])
      await broker.stop()
      await expect.poll(async () => (await texts())[0], { timeout: 8000 }).toBe('The broker went away.')
      await broker.start()
      await expect.poll(async () => (await texts())[0], { timeout: 8000 }).toBe('The broker is back.')
    },
  )

  it('are found by kind, sensor, text and time, and come in pages', async () => {
    const gateway = await startWatched({ limits: { clientIdLength: 4 } })
    const peer = await gateway.test.peer()
    for (let i = 0; i < 7; i++) {
      peer.send(connect(`sensor-${i}`))
      await peer.next('connack')
    }
    const list = (query: string) => gateway.get<HappeningList>(`/api/happenings?${query}`)
    const all = await list('kind=refused')
    expect(all.total).toBe(7)
    expect(all.items.map(({ at }) => at)).toEqual(all.items.map(({ at }) => at).sort((a, b) => b - a))
    const page = await list('kind=refused&offset=2&limit=3')
    expect([page.total, page.items.map(({ id }) => id)]).toEqual([
      7,
      all.items.slice(2, 5).map(({ id }) => id),
    ])
    expect((await list('search=SENSOR-3')).items.map(({ clientId }) => clientId)).toEqual(['sensor-3'])
    expect((await list('sensor=sensor-4')).total).toBe(1)
    const [latest] = all.items
    expect((await list(`kind=refused&since=${(latest?.at ?? 0) + 1}`)).total).toBe(0)
    expect((await list(`kind=refused&until=${latest?.at}`)).total).toBe(7)
    expect((await fetch(`${gateway.url}/api/happenings?kind=nonsense`)).status).toBe(400)
  })

  it('are told live, in batches', async () => {
    const gateway = await startWatched({ limits: { clientIdLength: 4 } })
    const abort = new AbortController()
    onTestFinished(() => abort.abort())
    const { body } = await fetch(`${gateway.url}/api/events`, { signal: abort.signal })
    const peer = await gateway.test.peer()
    peer.send(connect('too-long'))
    let text = ''
    for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk
      const [, data] = /event: happenings\ndata: (.*)\n/.exec(text) ?? []
      if (data === undefined) continue
      expect(JSON.parse(data)).toMatchObject({ more: 0, items: [{ kind: 'refused', clientId: 'too-long' }] })
      break
    }
    expect(text).toContain('event: happenings')
  })
})

const encodeHex = (packet: Parameters<typeof encodeFrame>[0]) =>
  Buffer.from(encodeFrame(packet)).toString('hex')
