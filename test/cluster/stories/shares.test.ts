// Several nodes each serve a share of the sensors: one dies, freezes, comes, or is stopped, and the sensors go on with their owners.

import { expect, it } from 'vitest'
import { planSlots } from '../../../src/cluster/plan.ts'
import type { ClusterInfo } from '../../../src/console/contract/cluster.ts'
import { slotOfName } from '../../../src/sessions/slots.ts'
import { haveMosquitto } from '../../support/broker.ts'
import { CLUSTER_START, type ClusterSensor, LEASE, type NodeProcess, Pair } from '../../support/cluster.ts'
import { aWhile, until } from '../../support/gateway.ts'
import { hasPostgres } from '../../support/postgres.ts'

const here = hasPostgres && haveMosquitto

const nameOf = (n: number) => `gw-${n}`

/** Starts a node that serves its share. */
function start(pair: Pair, n: number, { compiled = true, more = {} } = {}): Promise<NodeProcess> {
  const node = nameOf(n)
  const cluster = { node, lease: `${LEASE}ms`, listen: `tcp://127.0.0.${n}:0`, settle: '1s', drain: '20s' }
  return pair.node(n, { compiled, more: { cluster, ...more } })
}

async function infoOf({ console }: NodeProcess): Promise<ClusterInfo> {
  const response = await fetch(`${console}/api/cluster`)
  return (await response.json()) as ClusterInfo
}

/** Waits until all of them serve the share that is planned for them. */
async function shared(nodes: readonly NodeProcess[], milliseconds = 60_000): Promise<void> {
  const plan = planSlots(nodes.map(({ name }) => name))
  for (const node of nodes) {
    const share = plan.filter((name) => name === node.name).length
    let found: ClusterInfo | undefined
    const deadline = performance.now() + milliseconds
    while (found?.slots !== share || found.hindrance !== undefined) {
      if (performance.now() > deadline) throw new Error(`${node.name}: ${JSON.stringify(found)}`)
      found = await infoOf(node).catch(() => undefined)
      await new Promise((done) => setTimeout(done, 50))
    }
  }
}

/** The name of a sensor that belongs to each of the nodes in turn, as plans for them go. */
function nameFor(...owners: readonly { readonly of: readonly number[]; readonly is: number }[]): string {
  const plans = owners.map(({ of, is }) => ({ plan: planSlots(of.map(nameOf)), is: nameOf(is) }))
  for (let i = 0; ; i += 1) {
    const name = `sensor-${i}`
    if (plans.every(({ plan, is }) => plan[slotOfName(name)] === is)) return name
  }
}

/** A sensor with a will, a topic and a subscription. */
async function settled(pair: Pair, node: NodeProcess, name: string): Promise<[ClusterSensor, number]> {
  const sensor = await pair.sensor(node)
  await sensor.connect(name, { will: `will/${name}` })
  await sensor.subscribe(`down/${name}`, 1)
  return [sensor, await sensor.register(`up/${name}`)]
}

/** It is served at this node as if nothing had happened. */
async function goesOn(pair: Pair, name: string, [sensor, topicId]: [ClusterSensor, number], at: NodeProcess) {
  sensor.turnTo(at)
  expect(await sensor.publish(topicId, `at ${at.name}`)).toBe(0)
  await until(() => pair.published.includes(`up/${name} at ${at.name}`), 20_000)
  await pair.publish(`down/${name}`, `by ${at.name}`, 1)
  const { data, topicId: id, msgId } = await sensor.peer.next('publish', 20_000)
  expect(Buffer.from(data).toString()).toBe(`by ${at.name}`)
  sensor.peer.send({ type: 'puback', topicId: id, msgId, returnCode: 0 })
  const types = sensor.peer.types()
  expect(types).not.toContain('disconnect')
  expect(types.split('connack')).toHaveLength(2)
  expect(pair.published.filter((one) => one.startsWith('will/'))).toEqual([])
}

it.runIf(here)(
  'slots of a node that was killed are served by the two others by plan, as those of one that freezes when its lease is over',
  async () => {
    const pair = await Pair.open()
    const [a, b, c] = await Promise.all([11, 12, 13].map((n) => start(pair, n)))
    if (!a || !b || !c) throw new Error('three nodes')
    await shared([a, b, c])
    const [all, two] = [
      [11, 12, 13],
      [11, 12],
    ]
    const stays = nameFor({ of: all, is: 11 }, { of: two, is: 11 })
    const toA = nameFor({ of: all, is: 13 }, { of: two, is: 11 })
    const toB = nameFor({ of: all, is: 13 }, { of: two, is: 12 })
    const sensors = [
      await settled(pair, a, stays),
      await settled(pair, c, toA),
      await settled(pair, c, toB),
    ] as const

    const begun = performance.now()
    c.signal('SIGKILL')
    await goesOn(pair, toA, sensors[1], a)
    expect(performance.now() - begun).toBeLessThan(LEASE + 2000)
    await goesOn(pair, toB, sensors[2], b)
    await goesOn(pair, stays, sensors[0], a)
    await shared([a, b])
    expect(a.lines.map(({ msg }) => msg)).toContain('taking over: its process is gone')

    b.signal('SIGSTOP')
    await goesOn(pair, toB, sensors[2], a)
    await until(() => a.lines.some(({ msg }) => msg === 'taking over: its lease has run out'), 20_000)
    b.signal('SIGCONT')
    expect(await b.exited).toBe(3)
    await shared([a])
    await goesOn(pair, toB, sensors[2], a)
  },
  CLUSTER_START,
)

it.runIf(here)(
  'a node that is started gets its share from the one that has all, and gives it back when it is stopped, without a word to sensors',
  async () => {
    const pair = await Pair.open()
    const a = await start(pair, 11)
    await shared([a])
    const moves = nameFor({ of: [11, 12], is: 12 })
    const sensor = await settled(pair, a, moves)
    const b = await start(pair, 12)
    await shared([a, b])
    await goesOn(pair, moves, sensor, b)
    const members = async () =>
      (await infoOf(a)).members.map(({ node, slots, state }) => [node, slots, state])
    await expect.poll(members, { timeout: 10_000 }).toEqual([
      ['gw-11', 512, 'active'],
      ['gw-12', 512, 'active'],
    ])

    b.signal('SIGTERM')
    await until(() => b.lines.some(({ msg }) => msg === 'sensors handed over'), 20_000)
    expect(await b.ready()).toEqual({ status: 503, reasons: ['the node is being stopped'] })
    expect(await b.exited).toBe(0)
    await shared([a])
    await goesOn(pair, moves, sensor, a)
    expect(a.lines.some(({ msg }) => msg.startsWith('taking over'))).toBe(false)

    a.signal('SIGTERM') // nobody is there to have them
    expect(await a.exited).toBe(0)
  },
  CLUSTER_START,
)

it.runIf(here)(
  'nodes of two workers hand over to each other, too, and one of them says that the gateway is there until the last one has gone',
  async () => {
    const pair = await Pair.open()
    const options = { compiled: true, more: { workers: 2, status: { enabled: true, prefix: 'up/of' } } }
    const said = () =>
      pair.published
        .filter((one) => /^up\/of\/gateway\/\d+\/status /.test(one))
        .flatMap((one) => /(?<="state":")(?:on|off)(?=line)/.exec(one) ?? [])
    const a = await start(pair, 11, options)
    await shared([a])
    const moves = nameFor({ of: [11, 12], is: 12 })
    const sensor = await settled(pair, a, moves)
    const b = await start(pair, 12, options)
    await shared([a, b])
    await goesOn(pair, moves, sensor, b)
    a.signal('SIGTERM')
    expect(await a.exited).toBe(0)
    await shared([b])
    await aWhile(2000) // longer than it takes to say so
    expect(new Set(said())).toEqual(new Set(['on']))
    b.signal('SIGTERM')
    expect(await b.exited).toBe(0)
    await until(() => said().at(-1) === 'off', 20_000)
  },
  CLUSTER_START,
)

it.runIf(here)(
  'a node that would serve all sensors or none does not start beside nodes that each serve a share',
  async () => {
    const pair = await Pair.open()
    await shared([await start(pair, 11)])
    const other = await pair.node(12)
    expect(await other.exited).toBe(1)
    expect(other.errors).toContain('cluster.listen')
  },
  CLUSTER_START,
)
