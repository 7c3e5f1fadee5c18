// The database is away, for one node or for all: what needs no promise goes on, and nobody is taken for dead because of it.

import { expect, it } from 'vitest'
import { haveMosquitto } from '../../support/broker.ts'
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
