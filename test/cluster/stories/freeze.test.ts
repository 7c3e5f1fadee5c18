// The node that serves stands still, is stopped, or meets another one of its name.

import { expect, it } from 'vitest'
import { haveMosquitto } from '../../support/broker.ts'
import { CLUSTER_START, LEASE, Pair } from '../../support/cluster.ts'
import { aWhile, until } from '../../support/gateway.ts'
import { hasPostgres } from '../../support/postgres.ts'

const here = hasPostgres && haveMosquitto

it.runIf(here)(
  'a node that wakes up after its lease says nothing to anybody, and ends with 3; its sensors have long gone on elsewhere [SN-SESS-10]',
  async () => {
    const pair = await Pair.open()
    const [active, standby] = await pair.nodes()
    const [sensor, late] = [await pair.sensor(active), await pair.sensor(active)]
    await sensor.connect('sensor', { will: 'will/sensor' })
    await late.connect('late', { will: 'will/late', duration: 5 })
    const topicId = await sensor.register('up/sensor')

    active.signal('SIGSTOP')
    const half = sensor.publication(topicId, 'half', 2)
    sensor.peer.send(half) // it waits in the socket of the one that stands still
    sensor.peer.send({ type: 'pingreq', clientId: null })
    sensor.turnTo(standby)
    const begun = performance.now()
    await sensor.ask(half, 'pubrec')
    expect(performance.now() - begun).toBeLessThan(1000 + LEASE + 1000 + 2000)
    await sensor.ask({ type: 'pubrel', msgId: half.msgId }, 'pubcomp')
    late.turnTo(standby)
    await late.ask({ type: 'pingreq', clientId: null }, 'pingresp')
    const heard = sensor.peer.heard.length
    active.signal('SIGCONT')
    expect(await active.exited).toBe(3)
    await aWhile(500)
    expect(sensor.peer.heard.slice(heard).filter(({ from }) => from.address === active.address)).toEqual([])
    expect(active.lines.find(({ level }) => level === 'fatal')?.msg).toContain('must not go on')

    expect(await sensor.publish(topicId, 'after')).toBe(0)
    await until(() => pair.published.includes('up/sensor after'), 20_000)
    expect(pair.published.filter((one) => one === 'up/sensor half')).toHaveLength(1)
    expect(pair.published.filter((one) => one.startsWith('will/sensor'))).toEqual([])
  },
  CLUSTER_START,
)

it.runIf(here)(
  'a node that is stopped gives its sensors away at once, before its lease is over',
  async () => {
    const pair = await Pair.open()
    const [active, standby] = await pair.nodes()
    const sensor = await pair.sensor(active)
    await sensor.connect('sensor', { will: 'will/sensor' })
    const topicId = await sensor.register('up/sensor')
    active.signal('SIGTERM')
    expect(await active.exited).toBe(0)
    const begun = performance.now()
    sensor.turnTo(standby)
    expect(await sensor.publish(topicId, 'after')).toBe(0)
    expect(performance.now() - begun).toBeLessThan(LEASE)
    await until(() => pair.published.includes('up/sensor after'), 20_000)
    expect(standby.lines.some(({ msg }) => msg.includes('taking over:'))).toBe(false)
    expect(sensor.peer.types()).not.toContain('disconnect')
    expect(pair.published.filter((one) => one.startsWith('will/'))).toEqual([])
  },
  CLUSTER_START,
)

it.runIf(here)(
  'a process waits while another one of its name lives, says so, and goes on when that has ended',
  async () => {
    const pair = await Pair.open()
    const active = await pair.node(11)
    await active.isReady(60_000)
    const second = await pair.node(12, { more: { cluster: { node: 'gw-11', lease: `${LEASE}ms` } } })
    await second.said('another process is this node')
    await second.isAsked()
    const { status, reasons } = await second.ready()
    expect([status, reasons[0]]).toEqual([503, expect.stringContaining('cluster.node')])
    await aWhile(2 * LEASE)
    expect(active.child.exitCode).toBe(null)
    expect((await active.ready()).status).toBe(200)
    active.signal('SIGKILL')
    await second.isReady()
  },
  CLUSTER_START,
)

it.runIf(here)(
  'a node whose listeners have other names does not start, and says which key to change',
  async () => {
    const pair = await Pair.open()
    const active = await pair.node(11)
    await active.isReady(60_000)
    const other = await pair.node(12, { more: { listeners: [{ name: 'other', url: 'udp://127.0.0.12:0' }] } })
    expect(await other.exited).toBe(1)
    expect(other.errors).toContain('listeners[].name')
  },
  CLUSTER_START,
)
