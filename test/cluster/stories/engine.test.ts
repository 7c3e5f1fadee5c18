// The database is away, for one node or for all: what needs no promise goes on, and nobody is taken for dead because of it.

import { expect, it, onTestFinished } from 'vitest'
import { TcpProxy } from '../../../lab/tcp-proxy.ts'
import { freePort, haveMosquitto } from '../../support/broker.ts'
import { CLUSTER_START, LEASE, Pair } from '../../support/cluster.ts'
import { aWhile, until } from '../../support/gateway.ts'
import { hasPostgres } from '../../support/postgres.ts'

const here = hasPostgres && haveMosquitto

it.runIf(here)(
  'the active node serves without a gap while the database is dead for longer than a lease, and nobody takes over when it is back',
  async () => {
    const pair = await Pair.open()
    const [active, standby] = await pair.nodes()
    const sensor = await pair.sensor(active)
    await sensor.connect('sensor', { will: 'will/sensor' })
    const topicId = await sensor.register('up/sensor')
    await pair.engine.primary.kill()
    const until_ = performance.now() + 2.5 * LEASE
    for (let i = 0; performance.now() < until_; i += 1) {
      expect(await sensor.publish(topicId, `without ${i}`)).toBe(0)
      await aWhile(200)
    }
    expect((await active.ready()).status).toBe(200)
    expect((await standby.ready()).status).toBe(503)
    const message = sensor.publication(topicId, 'exactly once', 2)
    sensor.peer.send(message) // QoS 2 is a promise: it waits
    await pair.engine.primary.start()
    await sensor.ask(message, 'pubrec', 40_000)
    await sensor.ask({ type: 'pubrel', msgId: message.msgId }, 'pubcomp')
    await aWhile(2 * LEASE)
    expect((await active.ready()).status).toBe(200)
    expect((await standby.ready()).reasons).toEqual(['standing by: node gw-11 serves'])
    expect(sensor.peer.types()).not.toContain('disconnect')
    expect(pair.published.filter((one) => one === 'up/sensor exactly once')).toHaveLength(1)
    expect(pair.published.filter((one) => one.startsWith('will/'))).toEqual([])
  },
  CLUSTER_START,
)

it.runIf(here).each(['refused', 'silent'] as const)(
  'a node that alone has lost the database (%s) stops serving as soon as the other one has taken over, though the broker does not say so, and ends when it is back',
  async (mode) => {
    const pair = await Pair.open()
    const way = await TcpProxy.open(await freePort(), pair.engine.primary.port)
    onTestFinished(() => way.close())
    const store = { type: 'postgres', url: pair.engine.urlThrough([way.port]) }
    const active = await pair.node(11, { more: { store } })
    await active.isReady(60_000)
    const standby = await pair.node(12)
    await standby.standsBy()
    const [talker, short] = [await pair.sensor(active), await pair.sensor(active)]
    await talker.connect('talker', { will: 'will/talker' })
    // with less patience than the cut and the way to the other node take together
    await short.connect('short', { will: 'will/short', duration: 3 })
    const topicId = await talker.register('up/talker')
    const shortId = await short.register('up/short')

    await way.set(mode)
    for (let i = 0; (await active.ready()).status === 200; i += 1) {
      // what comes when nobody may answer any more is for the other one: so nothing is waited for
      talker.peer.send(talker.publication(topicId, `to the first ${i}`, 1))
      short.peer.send(short.publication(shortId, `short ${i}`, 1))
      await aWhile(100)
    }
    expect((await active.ready()).reasons).toEqual(['the lease of this node has run out'])
    await standby.isReady()
    for (const one of [talker, short]) one.turnTo(standby)
    for (let i = 0; i < 10; i += 1) {
      expect(await talker.publish(topicId, `to the second ${i}`)).toBe(0)
      expect(await short.publish(shortId, `short again ${i}`)).toBe(0)
      await aWhile(200)
    }
    expect((await standby.ready()).status).toBe(200)
    // it does not take the connections to the broker back, and does not serve
    expect((await active.ready()).status).toBe(503)
    await way.set('open')
    expect(await active.exited).toBe(3)
    expect((await standby.ready()).status).toBe(200)
    for (const one of [talker, short]) expect(one.peer.types()).not.toContain('disconnect')
    await until(() => pair.published.includes('up/talker to the second 9'), 20_000)
    expect(pair.published.filter((one) => one.startsWith('will/'))).toEqual([])
    const noise = /another client uses the ClientId|hangs up/
    for (const node of [active, standby]) expect(node.lines.filter(({ msg }) => noise.test(msg))).toEqual([])
  },
  CLUSTER_START,
)

it.runIf(here)(
  'connections to the database that are cut are opened again, and nobody takes over',
  async () => {
    const pair = await Pair.open()
    const [active, standby] = await pair.nodes()
    const sensor = await pair.sensor(active)
    await sensor.connect('sensor')
    for (let i = 0; i < 3; i += 1) {
      await pair.engine.cutConnections()
      await aWhile(LEASE / 2)
    }
    const topicId = await sensor.register('up/sensor')
    expect(await sensor.publish(topicId, 'after')).toBe(0)
    expect((await active.ready()).status).toBe(200)
    expect((await standby.ready()).reasons).toEqual(['standing by: node gw-11 serves'])
  },
  CLUSTER_START,
)

it.runIf(here)(
  'goes on with the standby of the database when its primary dies, with all that was acknowledged',
  async () => {
    const pair = await Pair.open({ standby: true })
    const [active, standby] = await pair.nodes()
    const sensor = await pair.sensor(active)
    await sensor.connect('sensor', { will: 'will/sensor' })
    const topicId = await sensor.register('up/sensor')
    const half = sensor.publication(topicId, 'half', 2)
    await sensor.ask(half, 'pubrec')
    await pair.engine.primary.kill()
    expect(await sensor.publish(topicId, 'meanwhile')).toBe(0)
    await pair.engine.promote()
    await sensor.ask({ type: 'pubrel', msgId: half.msgId }, 'pubcomp', 40_000)
    await sensor.register('up/another')
    await aWhile(2 * LEASE)
    expect((await active.ready()).status).toBe(200)
    expect((await standby.ready()).reasons).toEqual(['standing by: node gw-11 serves'])
    active.signal('SIGKILL')
    sensor.turnTo(standby)
    expect(await sensor.publish(topicId, 'after')).toBe(0)
    await until(() => pair.published.includes('up/sensor after'), 20_000)
    expect(pair.published.filter((one) => one === 'up/sensor half')).toHaveLength(1)
    expect(sensor.peer.types()).not.toContain('disconnect')
  },
  CLUSTER_START,
)
