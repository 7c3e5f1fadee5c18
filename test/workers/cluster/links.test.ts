// Several nodes behind one address: whichever of them a sensor's datagrams come to, the one that has its slot serves it.

import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { haveMosquitto } from '../../support/broker.ts'
import { compileFleetProgram } from '../../support/fleet-program.ts'
import { aWhile, freshName, Office, type TestSensor } from '../../support/gateway.ts'
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
        for (const qos of [0, 1, 2] as const)
          await sensor.publish(`${topic}/up`, `${clientId} ${qos}`, { qos })
        const came = await office.inbox.take(3)
        expect(came.map(({ text }) => text).sort()).toEqual([0, 1, 2].map((qos) => `${clientId} ${qos}`))
        for (const qos of [0, 1, 2] as const)
          await office.publish(`${topic}/${clientId}`, `down ${qos}`, { qos })
        expect((await inbox.take(3)).map(({ text }) => text)).toEqual(['down 0', 'down 1', 'down 2'])
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
      expect((await sensor.inbox.next()).text).toBe('asleep')
    }
    expect(balancer.strays).toBe(0)
    const counts = await Promise.all(nodes.map((node) => node.counts()))
    for (const { forwarded, answered, dropped } of counts) {
      expect(forwarded).toBeGreaterThan(0)
      expect(answered).toBeGreaterThan(0)
      expect(dropped).toEqual({})
    }
  })

  it('tell a stranger to go away when all of them have said that they do not know him, and not before (R1)', async () => {
    const { nodes, balancer, turnTo } = await start({ hold: 1000 })
    const [stranger, other] = [await UdpPeer.open(), await UdpPeer.open()]
    onTestFinished(async () => void (await Promise.all([stranger.close(), other.close()])))
    const { hostname, port } = new URL(balancer.url)
    stranger.remote = other.remote = { address: hostname, port: Number(port) }
    turnTo(1)
    stranger.send({ type: 'pingreq', clientId: null })
    await stranger.next('disconnect')
    nodes[2]?.child.kill('SIGSTOP')
    other.send({ type: 'pingreq', clientId: null })
    await expect
      .poll(async () => (await nodes[1]?.counts())?.dropped, { timeout: 10_000 })
      .toMatchObject({ 'held-too-long': 1 })
    expect(other.heard).toEqual([])
    nodes[2]?.child.kill('SIGCONT')
    await expect.poll(() => nodes[1]?.ask('up'), { timeout: 10_000 }).toHaveLength(2)
    other.send({ type: 'pingreq', clientId: null })
    await other.next('disconnect')
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
      peer.remote = at
      peer.send({ type: 'connect', will, cleanSession: true, protocolId: 1, duration: 60, clientId })
      if (will) {
        await peer.next('willtopicreq')
        peer.send({ type: 'willtopic', qos: 1, retain: false, willTopic: `${topic}/will` })
        await peer.next('willmsgreq')
        peer.send({ type: 'willmsg', willMsg: Buffer.from(clientId) })
      }
      await peer.next('connack')
    }
    const [first, second, third] = [0, 1, 2].map((node) => sensorOf(node).clientId)
    turnTo(2)
    await connectAs(first ?? '', true)
    await connectAs(second ?? '', true) // at a node that knows the first one's address
    expect((await office.inbox.next()).text).toBe(first)
    turnTo(0)
    await connectAs(third ?? '', false) // at one that does not
    const flags = { dup: false, retain: false, topicIdType: 'short', topicId: 0x6162 } as const
    turnTo(1) // where the second one is known: the third one has come later
    peer.send({ type: 'pingreq', clientId: null })
    await peer.next('pingresp')
    peer.send({ type: 'publish', ...flags, qos: 1, msgId: 7, data: Buffer.from('x') })
    await peer.next('puback')
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
