// Several nodes behind one address: whichever of them a sensor's datagrams come to, the one that has its slot serves it.

import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { Packet, PacketType } from '../../../src/codec/v1/messages.ts'
import { haveMosquitto } from '../../support/broker.ts'
import { compileFleetProgram } from '../../support/fleet-program.ts'
import { aWhile, freshName, Office, type TestSensor } from '../../support/gateway.ts'
import type { Inbox } from '../../support/inbox.ts'
import { startLinkedNodes } from '../../support/linked-nodes.ts'
import { UdpPeer } from '../../support/sensor.ts'

let program: Awaited<ReturnType<typeof compileFleetProgram>>

beforeAll(async () => {
  program = await compileFleetProgram('test/workers/cluster/linked-child.ts')
})
afterAll(() => program.remove())

const start = (options?: Parameters<typeof startLinkedNodes>[1]) => startLinkedNodes(program.file, options)

/** What a sensor sends and hears of what a moved session must not need. */
function setupOf(sensor: TestSensor): string[] {
  const seen: string[] = []
  sensor.on('packet', (direction, { type }) => {
    if (/^(?:connect|connack|register|regack|subscribe|disconnect)$/.test(type))
      seen.push(`${direction} ${type}`)
  })
  return seen
}

type TextInbox = Inbox<{ readonly text: string }>

/** Waits for a message; what comes before it is of no interest. */
async function comes(inbox: TextInbox, text: string): Promise<void> {
  for (let next = ''; next !== text; ) next = (await inbox.next(20_000)).text
}

/** Sends what nobody repeats until something of it has come. */
async function certain(inbox: TextInbox, send: () => Promise<unknown>): Promise<void> {
  for (let hasCome = false; !hasCome; ) {
    await send()
    hasCome = await inbox.next(2000).then(
      () => true,
      () => false,
    )
  }
}

/** Sends until that is answered, as sensors do. */
async function ask(peer: UdpPeer, at: UdpPeer['remote'], packet: Packet, answer: PacketType): Promise<void> {
  for (let isAnswered = false; !isAnswered; ) {
    peer.remote = at
    peer.send(packet)
    isAnswered = await peer.next(answer, 2000).then(
      () => true,
      () => false,
    )
  }
}

describe.skipIf(!haveMosquitto)('nodes behind one address', { timeout: 60_000 }, () => {
  it('serve a sensor through whichever of them it comes, at every QoS and asleep, and need no second CONNECT', async () => {
    const { mosquitto, nodes, balancer, turnTo, sensorOf } = await start()
    const topic = `links/${freshName()}`
    const office = await Office.at(mosquitto, `${topic}/up`)
    onTestFinished(() => office.close())
    const sensors = [sensorOf(0), sensorOf(1), sensorOf(2)]
    turnTo(0)
    for (const sensor of sensors) {
      await sensor.connect()
      await sensor.register(`${topic}/up`)
      await sensor.subscribe(`${topic}/${sensor.clientId}`, 2)
    }
    const seen = sensors.map(setupOf)
    for (const way of [0, 2, 1, 0]) {
      turnTo(way)
      for (const sensor of sensors) {
        const { clientId, inbox } = sensor
        await certain(office.inbox, () => sensor.publish(`${topic}/up`, `${clientId} 0`, { qos: 0 }))
        for (const qos of [1, 2] as const) {
          await sensor.publish(`${topic}/up`, `${clientId} ${qos}`, { qos })
          await comes(office.inbox, `${clientId} ${qos}`)
        }
        await certain(inbox, () => office.publish(`${topic}/${clientId}`, `${way} 0`, { qos: 0 }))
        for (const qos of [1, 2] as const) {
          await office.publish(`${topic}/${clientId}`, `${way} ${qos}`, { qos })
          await comes(inbox, `${way} ${qos}`)
        }
        await sensor.ping()
      }
    }
    expect(seen).toEqual([[], [], []])
    for (const sensor of sensors) {
      turnTo(1)
      await sensor.sleep(60)
      await office.publish(`${topic}/${sensor.clientId}`, 'asleep', { qos: 1 })
      await aWhile(100)
      expect(sensor.inbox.all.filter(({ text }) => text === 'asleep')).toEqual([])
      turnTo(2) // a sensor that wakes up may come through any node
      await sensor.wake()
      await comes(sensor.inbox, 'asleep')
    }
    expect(balancer.strays).toBe(0)
    const counts = await Promise.all(nodes.map((node) => node.counts()))
    for (const { forwarded, answered, dropped } of counts) {
      expect(forwarded).toBeGreaterThan(0)
      expect(answered).toBeGreaterThan(0)
      // a machine that is busy stands still now and then
      expect(Object.keys(dropped).filter((reason) => reason !== 'stalled')).toEqual([])
    }
  })

  it('tell a stranger to go away when all of them have said that they do not know him, and not before (R1)', async () => {
    const { nodes, balancer, turnTo } = await start({ hold: 1000 })
    const [stranger, other] = [await UdpPeer.open(), await UdpPeer.open()]
    onTestFinished(async () => void (await Promise.all([stranger.close(), other.close()])))
    const { hostname, port } = new URL(balancer.url)
    const at = { address: hostname, port: Number(port) }
    turnTo(1)
    await ask(stranger, at, { type: 'pingreq', clientId: null }, 'disconnect')
    nodes[2]?.child.kill('SIGSTOP')
    const held = async () => {
      other.remote = at
      other.send({ type: 'pingreq', clientId: null })
      return (await nodes[1]?.counts())?.dropped['held-too-long'] ?? 0
    }
    await expect.poll(held, { timeout: 20_000 }).toBeGreaterThan(0)
    const holding = async () => {
      await held()
      return (await nodes[1]?.counts())?.holding
    }
    await expect.poll(holding, { timeout: 20_000 }).toBe(1)
    expect(other.heard).toEqual([])
    nodes[2]?.child.kill('SIGCONT')
    await expect.poll(() => nodes[1]?.ask('up'), { timeout: 10_000 }).toHaveLength(2)
    await ask(other, at, { type: 'pingreq', clientId: null }, 'disconnect')
    await expect.poll(async () => (await nodes[1]?.counts())?.holding).toBe(0)
  })

  it('believe who has come last to an address, and publish the will of who was there (R6)', async () => {
    const { mosquitto, balancer, turnTo, sensorOf } = await start()
    const topic = `links/${freshName()}`
    const office = await Office.at(mosquitto, `${topic}/#`)
    onTestFinished(() => office.close())
    const peer = await UdpPeer.open()
    onTestFinished(() => peer.close())
    const { hostname, port } = new URL(balancer.url)
    const at = { address: hostname, port: Number(port) }
    const connectAs = async (clientId: string, will: boolean) => {
      const connect = {
        type: 'connect',
        will,
        cleanSession: true,
        protocolId: 1,
        duration: 60,
        clientId,
      } as const
      if (!will) return ask(peer, at, connect, 'connack')
      await ask(peer, at, connect, 'willtopicreq')
      const willTopic: Packet = { type: 'willtopic', qos: 1, retain: false, willTopic: `${topic}/will` }
      await ask(peer, at, willTopic, 'willmsgreq')
      await ask(peer, at, { type: 'willmsg', willMsg: Buffer.from(clientId) }, 'connack')
    }
    const [first, second, third] = [0, 1, 2].map((node) => sensorOf(node).clientId)
    turnTo(2)
    await connectAs(first ?? '', true)
    await connectAs(second ?? '', true) // at a node that knows the first one's address
    expect((await office.inbox.next()).text).toBe(first)
    turnTo(0)
    await connectAs(third ?? '', false) // at one that does not
    turnTo(1) // where the second one was
    await ask(peer, at, { type: 'pingreq', clientId: null }, 'pingresp')
    expect((await office.inbox.next()).text).toBe(second)
  })

  it('let nobody in without the secret, whatever he says, and serve their own sensors without links', async () => {
    const { nodes, turnTo, sensorOf } = await start({ secrets: ['a secret', 'a secret', 'another one'] })
    await expect.poll(() => nodes[0]?.ask('up'), { timeout: 20_000 }).toEqual(['gw-2'])
    await expect.poll(async () => (await nodes[2]?.counts())?.refused, { timeout: 20_000 }).toBeGreaterThan(0)
    expect(await nodes[2]?.ask('up')).toEqual([])
    for (const words of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(50_000, 0xff),
      Buffer.from('000000020100', 'hex'),
    ]) {
      const before = (await nodes[0]?.counts())?.refused ?? 0
      const socket = connect(nodes[0]?.linkPort ?? 0, '127.0.0.1', () => socket.write(words))
      socket.on('error', () => {})
      onTestFinished(() => void socket.destroy())
      await expect.poll(async () => (await nodes[0]?.counts())?.refused, { timeout: 10_000 }).toBe(before + 1)
    }
    turnTo(0)
    const [here, linked, unlinked] = [sensorOf(0), sensorOf(1), sensorOf(2)]
    await here.connect()
    await linked.connect()
    const connecting = unlinked.connect().catch(() => 'no answer')
    await expect
      .poll(async () => (await nodes[0]?.counts())?.dropped, { timeout: 10_000 })
      .toMatchObject({ 'no-owner': 1 })
    turnTo(2) // by itself it serves its own
    await connecting
    await unlinked.ping()
  })
})
