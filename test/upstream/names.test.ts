// Brokers behind names: several addresses, addresses that change, name servers that do not answer.

import type { LookupAddress } from 'node:dns'
import { createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { UpstreamOptions } from '../../src/upstream/upstream.ts'
import { freePort } from '../support/broker.ts'
import { startScriptedBroker } from '../support/scripted.ts'
import { pause, Rig } from './harness.ts'

type Answer = (error: NodeJS.ErrnoException | null, found?: LookupAddress[]) => void

/** What the system's resolver would say; nobody can make it know names without changing the machine. */
const resolver = vi.hoisted(() => ({
  asked: 0,
  open: 0,
  most: 0,
  answer: (_answer: Answer): void => undefined,
}))

vi.mock('node:dns', async (importOriginal) => ({
  ...(await importOriginal<typeof import('node:dns')>()),
  lookup(_name: string, _options: object, callback: Answer) {
    resolver.asked += 1
    resolver.open += 1
    resolver.most = Math.max(resolver.most, resolver.open)
    resolver.answer((error, found) => {
      resolver.open -= 1
      callback(error, found)
    })
  },
}))

/** Whether all of 127.0.0.0/8 is this machine. */
const haveLoopbackNet = process.platform === 'linux'
const haveIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
)

const at = (...addresses: string[]): LookupAddress[] => addresses.map((address) => ({ address, family: 4 }))
const says =
  (...addresses: string[]) =>
  (answer: Answer): void =>
    void setImmediate(() => answer(null, at(...addresses)))

beforeEach(() => {
  Object.assign(resolver, { asked: 0, open: 0, most: 0 })
})

async function scripted(port = 0) {
  const broker = await startScriptedBroker(undefined, port)
  onTestFinished(() => broker.close())
  return broker
}

function rigAt(port: number, changes: Partial<UpstreamOptions> = {}): Rig {
  const url = `mqtt://broker.example:${port}`
  const rig = new Rig({ url }, { own: { clientId: 'own' }, version: '3.1.1', ...changes })
  onTestFinished(() => rig.close())
  return rig
}

const healthy = async ({ upstream }: Rig) => {
  while (!upstream.healthy) await pause(5)
}

it.skipIf(!haveLoopbackNet).each([['127.0.0.2', '127.0.0.1'], ['127.0.0.1', '127.0.0.2']])(
  'of two addresses, %s and %s, the one where nothing listens costs no time, neither the gateway nor sensors',
  async (...addresses) => {
    const broker = await scripted() // on 127.0.0.1
    resolver.answer = says(...addresses)
    const rig = rigAt(broker.port, { reconnect: { min: 10_000, max: 10_000 } }) // a second attempt would be too late
    await healthy(rig)
    for (const name of ['a', 'b', 'c']) await rig.sensor().open(name)
    expect(broker.peers).toHaveLength(4)
  },
) // biome-ignore format: a table

it.skipIf(!haveLoopbackNet)(
  'of two addresses, the one that accepts connections and stays silent is left at the next attempt',
  async () => {
    const broker = await scripted()
    const deaf = createServer((socket) => void socket.on('error', () => undefined))
    await new Promise<void>((resolve) => deaf.listen(broker.port, '127.0.0.2', resolve))
    onTestFinished(() => void deaf.close())
    resolver.answer = says('127.0.0.2', '127.0.0.1')
    const rig = rigAt(broker.port, { connectTimeout: 200 })
    await healthy(rig)
    await rig.sensor().open('sensor')
  },
)

it.skipIf(!haveLoopbackNet)(
  'a name that changes its address leads everybody to the new one when the old one is gone',
  async () => {
    const broker = await scripted()
    resolver.answer = says('127.0.0.1')
    const rig = rigAt(broker.port)
    await healthy(rig)
    const sensor = rig.sensor()
    await sensor.open('sensor')
    const moved: string[] = []
    const next = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', (connect) => {
        moved.push(connect.includes('sensor') ? 'sensor' : 'own')
        socket.write(Buffer.of(0x20, 2, 0, 0))
      })
    })
    await new Promise<void>((resolve) => next.listen(broker.port, '127.0.0.3', resolve))
    onTestFinished(() => void next.close())
    resolver.answer = says('127.0.0.3')
    await broker.close()
    await sensor.next('closed')
    await sensor.open('sensor', { mend: true })
    await healthy(rig)
    expect(new Set(moved)).toEqual(new Set(['own', 'sensor']))
  },
)

/** A broker at this address that accepts everybody. */
async function brokerAt(address: string, port: number) {
  const sockets = new Map<string, Socket>()
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (connect) => {
      sockets.set(/sensor-\d+|own/.exec(connect.toString('latin1'))?.[0] ?? '', socket)
      socket.write(Buffer.of(0x20, 2, 0, 0))
    })
  })
  await new Promise<void>((resolve) => server.listen(port, address, resolve))
  const close = () => {
    server.close()
    for (const socket of sockets.values()) socket.destroy()
  }
  onTestFinished(close)
  const names = () => [...sockets.keys()].sort()
  return { names, close, cut: (name: string) => sockets.get(name)?.destroy() }
}

async function opened(rig: Rig, count: number) {
  const sensors = []
  for (let i = 0; i < count; i++) {
    const sensor = rig.sensor()
    await sensor.open(`sensor-${i}`)
    sensors.push({ name: `sensor-${i}`, sensor })
  }
  return sensors
}

describe.skipIf(!haveLoopbackNet)('the brokers behind one name', () => {
  it('have their turn, sensor by sensor', async () => {
    const port = await freePort()
    const addresses = ['127.0.0.2', '127.0.0.3', '127.0.0.4']
    const brokers = await Promise.all(addresses.map((address) => brokerAt(address, port)))
    resolver.answer = says(...addresses)
    const rig = rigAt(port)
    await healthy(rig)
    await opened(rig, 11)
    expect(brokers.map(({ names }) => names().length)).toEqual([4, 4, 4])
  })

  it.skipIf(!haveIpv6)('of the family that the system prefers, as long as one of them answers', async () => {
    const port = await freePort()
    const [six, four] = [await brokerAt('::1', port), await brokerAt('127.0.0.1', port)]
    const found = [{ address: '::1', family: 6 }, ...at('127.0.0.1')]
    resolver.answer = (answer) => void setImmediate(() => answer(null, found))
    const rig = rigAt(port)
    await healthy(rig)
    await opened(rig, 3)
    expect([six.names().length, four.names().length]).toEqual([4, 0])
    six.close()
    await healthy(rig)
    await rig.sensor().open('sensor-9')
    expect(four.names()).toContain('sensor-9')
  })

  it('may die one by one: what ends with the last connection to one of them is an outage, although the own connection stays', async () => {
    const port = await freePort()
    const brokers = [await brokerAt('127.0.0.2', port), await brokerAt('127.0.0.3', port)]
    resolver.answer = says('127.0.0.2', '127.0.0.3')
    const rig = rigAt(port)
    await healthy(rig)
    const sensors = await opened(rig, 6)
    const [dying, living] = [...brokers].sort(
      (a, b) => Number(a.names().includes('own')) - Number(b.names().includes('own')),
    )
    const hurt = sensors.filter(({ name }) => dying?.names().includes(name))
    expect(hurt.length).toBeGreaterThan(1)
    dying?.close()
    for (const { sensor } of hurt) {
      while (!sensor.events.some((event) => event.type === 'closed' && event.why === 'lost')) await pause(2)
    }
    expect(rig.upstream.healthy).toBe(true)
    for (const { name, sensor } of hurt) await sensor.open(name, { mend: true })
    expect(living?.names()).toEqual(expect.arrayContaining(hurt.map(({ name }) => name)))
  })

  it('close single connections for reasons of their own', async () => {
    const port = await freePort()
    const brokers = [await brokerAt('127.0.0.2', port), await brokerAt('127.0.0.3', port)]
    resolver.answer = says('127.0.0.2', '127.0.0.3')
    const rig = rigAt(port)
    await healthy(rig)
    const sensors = await opened(rig, 5)
    const elsewhere = brokers.find(({ names }) => !names().includes('own'))
    const [first] = sensors.filter(({ name }) => elsewhere?.names().includes(name))
    elsewhere?.cut(first?.name ?? '')
    expect((await first?.sensor.next('closed'))?.why).toBe('unexplained')
  })
})

it.skipIf(!haveLoopbackNet)(
  'an address that stayed silent is tried by one connection at a time, after a while',
  async () => {
    const port = await freePort()
    let heard = 0
    const deaf = createServer((socket) => {
      heard += 1
      socket.on('error', () => undefined)
    })
    await new Promise<void>((resolve) => deaf.listen(port, '127.0.0.2', resolve))
    onTestFinished(() => void deaf.close())
    await brokerAt('127.0.0.3', port)
    resolver.answer = says('127.0.0.2', '127.0.0.3')
    let ahead = 0
    const rig = rigAt(port, { connectTimeout: 150, now: () => performance.now() + ahead })
    await healthy(rig)
    await opened(rig, 4)
    expect(heard).toBe(1)
    ahead += 11_000
    const sensors = Array.from({ length: 6 }, () => rig.sensor())
    for (const [i, sensor] of sensors.entries())
      sensor.connection.connect({
        identity: { clientId: `late-${i}` },
        clean: true,
        mend: false,
        will: undefined,
      })
    await expect.poll(() => sensors.filter(({ events }) => events.length > 0).length).toBe(6)
    expect(heard).toBe(2)
    expect(sensors.filter((sensor) => sensor.count('connected') > 0)).toHaveLength(5)
  },
)

it('a name server that does not answer is asked once at a time, however many sensors want to connect', async () => {
  const port = await freePort()
  const open: Answer[] = []
  resolver.answer = (answer) => void open.push(answer)
  const rig = rigAt(port, { connectTimeout: 300 })
  const sensors = Array.from({ length: 50 }, () => rig.sensor())
  for (const [i, sensor] of sensors.entries())
    sensor.connection.connect({ identity: { clientId: `s${i}` }, clean: true, mend: false, will: undefined })
  await Promise.all(sensors.map((sensor) => sensor.next('refused')))
  expect(resolver.most).toBe(1)
  const broker = await scripted(port)
  resolver.answer = says('127.0.0.1')
  for (const answer of open) answer(Object.assign(new Error('no answer'), { code: 'EAI_AGAIN' }))
  await healthy(rig)
  for (const [i, sensor] of sensors.entries()) await sensor.open(`s${i}`)
  expect(broker.peers.length).toBeGreaterThan(50)
  expect(resolver.most).toBe(1)
})
