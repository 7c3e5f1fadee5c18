// Several brokers, of which one is used at a time: all connections agree on it.

import { promises as dns } from 'node:dns'
import { connect, createServer } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import type { UpstreamOptions } from '../../src/upstream/upstream.ts'
import { freePort } from '../support/broker.ts'
import { type ScriptedBroker, startScriptedBroker } from '../support/scripted.ts'
import { bytes, connectOptions, pause, Rig } from './harness.ts'

const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function scripted(port = 0): Promise<ScriptedBroker> {
  const broker = await startScriptedBroker(undefined, port)
  ends.push(() => broker.close())
  return broker
}

function rigAt(url: readonly string[], changes: Partial<UpstreamOptions> = {}): Rig {
  const rig = new Rig({ url: '' }, { url, own: { clientId: 'own' }, version: '3.1.1', ...changes })
  ends.push(() => rig.close())
  return rig
}

const healthy = async ({ upstream }: Rig) => {
  while (!upstream.healthy) await pause(5)
}

describe('of several brokers', () => {
  it('the first that answers is used, by the gateway itself and by sensors', async () => {
    const [dead, alive] = [await freePort(), await scripted()]
    const rig = rigAt([`mqtt://127.0.0.1:${dead}`, alive.url])
    await healthy(rig)
    await rig.sensor().open('sensor')
    expect(rig.upstream.url).toBe(alive.url)
    expect(alive.peers.map(({ clientId }) => clientId).sort()).toEqual(['own', 'sensor'])
  })

  it('the next one is used when the first accepts and hangs up, again and again', async () => {
    const [first, second] = [await scripted(), await scripted()]
    first.script = (peer, { cmd }) => {
      if (cmd !== 'connect') return undefined
      peer.send({ cmd: 'connack', sessionPresent: false, returnCode: 0 })
      setTimeout(() => peer.cut(), 5)
      return true
    }
    const rig = rigAt([first.url, second.url])
    while (rig.upstream.url !== second.url) await pause(5)
    await healthy(rig)
    await rig.sensor().open('sensor')
    expect(second.peers.map(({ clientId }) => clientId).sort()).toEqual(['own', 'sensor'])
  })

  it.each(['is gone', 'stays silent', 'is not ready'])(
    'the next one is used when the first %s, and everybody follows',
    async (fault) => {
      const [first, second] = [await scripted(), await scripted()]
      const rig = rigAt([first.url, second.url], { connectTimeout: 100 })
      await healthy(rig)
      const sensors = [rig.sensor(), rig.sensor()]
      for (const [i, sensor] of sensors.entries()) await sensor.open(`sensor-${i}`)
      if (fault === 'is gone') await first.close()
      else {
        first.script = (peer, { cmd }) => {
          if (cmd !== 'connect') return undefined
          const refusal = { cmd: 'connack', sessionPresent: false, returnCode: 3 } as const
          if (fault === 'is not ready') peer.send(refusal)
          return true
        }
        // only the gateway notices; its sensors are still served there
        for (const peer of first.peers) if (peer.clientId === 'own') peer.cut()
      }
      // a sensor's connection may end before the gateway's own, which explains it
      for (const sensor of sensors)
        expect(['lost', 'unexplained']).toContain((await sensor.next('closed')).why)
      await healthy(rig)
      for (const [i, sensor] of sensors.entries()) await sensor.open(`sensor-${i}`, { mend: true })
      expect(second.peers.map(({ clientId }) => clientId).sort()).toEqual(['own', 'sensor-0', 'sensor-1'])
      expect(rig.upstream.url).toBe(second.url)
    },
  )

  it('an attempt under way starts over at the one that is used now', async () => {
    const [first, second] = [await scripted(), await scripted()]
    const rig = rigAt([first.url, second.url], { connectTimeout: 10_000 })
    await healthy(rig)
    first.script = (peer, { cmd }) => {
      if (cmd === 'connect' && peer.clientId === 'own') peer.cut()
      return cmd === 'connect'
    }
    const sensor = rig.sensor()
    sensor.connection.connect(connectOptions('sensor'))
    await first.saw(({ cmd }, { clientId }) => cmd === 'connect' && clientId === 'sensor')
    for (const peer of first.peers) if (peer.clientId === 'own') peer.cut()
    await sensor.next('connected')
    expect(second.peers.some(({ clientId }) => clientId === 'sensor')).toBe(true)
    expect(rig.upstream.stats()).toMatchObject({ connected: 1, connecting: 0, refused: 0 })
  })

  it('the first is used again when it has answered for a while; nobody`s will is published', async () => {
    const [port, second] = [await freePort(), await scripted()]
    const rig = rigAt([`mqtt://127.0.0.1:${port}`, second.url], { returnAfter: 1000 })
    await healthy(rig)
    const sensor = rig.sensor()
    await sensor.open('sensor')
    rig.upstream.publishAnonymous('a', bytes('1'), false)
    const first = await scripted(port)
    const health: boolean[] = []
    while (sensor.count('closed') === 0) {
      health.push(rig.upstream.healthy)
      await pause(20)
    }
    await sensor.open('sensor', { mend: true })
    while (first.peers.every(({ clientId }) => clientId !== 'own')) await pause(10)
    expect([rig.upstream.url, health.every(Boolean)]).toEqual([first.url, true])
    const last = (clientId: string) =>
      second.peers.find((peer) => peer.clientId === clientId)?.packets.at(-1)?.cmd
    expect(['own', 'sensor'].map(last)).toEqual(['disconnect', 'disconnect'])
    rig.upstream.publishAnonymous('a', bytes('2'), false)
    await first.saw(({ cmd }) => cmd === 'publish')
  })

  it('the first is not well as long as it accepts connections and hangs up: nobody returns before it has stopped that', async () => {
    const [port, second] = [await freePort(), await scripted()]
    const rig = rigAt([`mqtt://127.0.0.1:${port}`, second.url], { returnAfter: 1000 })
    await healthy(rig)
    const sensor = rig.sensor()
    await sensor.open('sensor')
    const first = await scripted(port)
    first.script = (peer, { cmd }) => {
      if (cmd !== 'connect') return undefined
      peer.send({ cmd: 'connack', sessionPresent: false, returnCode: 0 })
      setTimeout(() => peer.cut(), 5)
      return true
    }
    const named = () => first.peers.map(({ clientId }) => clientId).filter((name) => name !== '') // CONNECT has come
    while (named().length < 4) await pause(50) // looks, each a second after the other
    expect([rig.upstream.url, rig.upstream.healthy, sensor.count('closed')]).toEqual([second.url, true, 0])
    expect(new Set(named())).toEqual(new Set(['own-p']))
    first.script = () => undefined
    await sensor.next('closed')
    await healthy(rig)
    expect(rig.upstream.url).toBe(first.url)
  }, 20_000)

  it('the second stays in use where no return is wanted', async () => {
    const [port, second] = [await freePort(), await scripted()]
    const rig = rigAt([`mqtt://127.0.0.1:${port}`, second.url], { returnAfter: 0 })
    await healthy(rig)
    const first = await scripted(port)
    await pause(1500)
    expect([first.peers.length, rig.upstream.url]).toEqual([0, second.url])
  })

  it('a gateway that is refused itself does not move the sensors that are served', async () => {
    const [first, second] = [await scripted(), await scripted()]
    const rig = rigAt([first.url, second.url])
    await healthy(rig)
    const sensor = rig.sensor()
    await sensor.open('sensor')
    first.script = (peer, { cmd }) => {
      if (cmd !== 'connect' || peer.clientId !== 'own') return undefined
      peer.send({ cmd: 'connack', sessionPresent: false, returnCode: 5 })
      return true
    }
    for (const peer of first.peers) if (peer.clientId === 'own') peer.cut()
    await pause(300)
    expect([sensor.count('closed'), rig.upstream.url]).toEqual([0, first.url])
  })
})

it('of the addresses of one name, another is tried when the first accepts connections and stays silent', async (context) => {
  const found = (await dns.lookup('localhost', { all: true })).map(({ address }) => address)
  const [deaf, alive] = [...new Set(found)]
  if (deaf === undefined || alive === undefined) return context.skip()
  const [port, broker] = [await freePort(), await scripted()]
  const open = async (address: string, onward: boolean) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      if (!onward) return
      const other = connect(broker.port, '127.0.0.1').on('error', () => undefined)
      socket.pipe(other).pipe(socket)
    })
    await new Promise<void>((resolve) => server.listen(port, address, resolve))
    ends.push(async () => void server.close())
  }
  await open(deaf, false)
  await open(alive, true)
  const rig = rigAt([`mqtt://localhost:${port}`], { connectTimeout: 200 })
  await healthy(rig)
  await rig.sensor().open('sensor')
})
