// Several nodes with links between them, behind something that sends a sensor's messages to any of them.

import { expect, it } from 'vitest'
import { planSlots } from '../../../src/cluster/plan.ts'
import type { ClusterInfo } from '../../../src/console/contract/cluster.ts'
import type { GatewayInfo } from '../../../src/console/contract/gateway.ts'
import type { SensorList } from '../../../src/console/contract/sensors.ts'
import { slotOfName } from '../../../src/sessions/slots.ts'
import { haveMosquitto } from '../../support/broker.ts'
import { CLUSTER_START, type ClusterSensor, LEASE, type NodeProcess, Pair } from '../../support/cluster.ts'
import { until } from '../../support/gateway.ts'
import { hasPostgres } from '../../support/postgres.ts'

const SECRET = 'known to all of them'

function start(pair: Pair, n: number): Promise<NodeProcess> {
  const cluster = { node: `gw-${n}`, lease: `${LEASE}ms`, settle: '1s', drain: '20s', secret: SECRET }
  return pair.node(n, { compiled: true, more: { cluster: { ...cluster, listen: `tcp://127.0.0.${n}:0` } } })
}

async function infoOf({ console }: NodeProcess): Promise<ClusterInfo> {
  return (await (await fetch(`${console}/api/cluster`)).json()) as ClusterInfo
}

/** Waits until each serves its share of the plan, and is linked to all others. */
async function settled(nodes: readonly NodeProcess[]): Promise<void> {
  const plan = planSlots(nodes.map(({ name }) => name))
  for (const node of nodes) {
    const share = plan.filter((name) => name === node.name).length
    const isSettled = async () => {
      const { slots, links } = await infoOf(node)
      const up = links?.nodes.filter(({ isUp }) => isUp).map((link) => link.node)
      return [slots, up]
    }
    const others = nodes.filter((other) => other !== node).map(({ name }) => name)
    await expect.poll(() => isSettled().catch(String), { timeout: 90_000 }).toEqual([share, others.sort()])
  }
}

interface Served {
  readonly name: string
  readonly sensor: ClusterSensor
  readonly topicId: number
}

/** A sensor whose slot is that node's, as the plan for these nodes goes. */
async function connected(
  pair: Pair,
  at: NodeProcess,
  owner: string,
  nodes: readonly string[],
  i = 0,
): Promise<Served> {
  const plan = planSlots(nodes)
  let name = ''
  for (let n = 0, found = 0; found <= i; n += 1) {
    name = `sensor-${n}`
    if (plan[slotOfName(name)] === owner) found += 1
  }
  const sensor = await pair.sensor(at)
  await sensor.connect(name, { will: `will/${name}` })
  await sensor.subscribe(`down/${name}`, 1)
  return { name, sensor, topicId: await sensor.register(`up/${name}`) }
}

let times = 0

/** Messages go both ways, through this node, as if nothing had happened. */
async function goesOn(pair: Pair, { name, sensor, topicId }: Served, at: NodeProcess): Promise<void> {
  times += 1
  sensor.turnTo(at)
  expect(await sensor.publish(topicId, `${times}`)).toBe(0)
  await until(() => pair.published.includes(`up/${name} ${times}`), 20_000)
  await pair.publish(`down/${name}`, `${times}`, 1)
  for (let text = ''; text !== `${times}`; ) {
    // at QoS 1 what was not acknowledged in time comes twice
    const { data, topicId: id, msgId } = await sensor.peer.next('publish', 20_000)
    text = Buffer.from(data).toString()
    sensor.peer.send({ type: 'puback', topicId: id, msgId, returnCode: 0 })
  }
  expect(sensor.peer.heard.every(({ from }) => /^127\.0\.0\.1\d$/.test(from.address))).toBe(true)
  expect(sensor.peer.heard.at(-1)?.from.address).toBe(at.address)
  expect(sensor.peer.types()).not.toContain('disconnect')
  expect(sensor.peer.types().split('connack')).toHaveLength(2)
  expect(pair.published.filter((one) => one.startsWith('will/'))).toEqual([])
}

/** The console of any node tells of all sensors, and of each with the node that serves it. */
async function answersForAll(nodes: readonly NodeProcess[], sensors: readonly Served[]): Promise<void> {
  for (const { console } of nodes) {
    const look = async <T>(path: string) => (await (await fetch(`${console}/api/${path}`)).json()) as T
    const { total, items } = await look<SensorList>('sensors')
    expect(total).toBe(sensors.length)
    expect(new Set(items.map(({ node }) => node))).toEqual(new Set(nodes.map(({ name }) => name)))
    for (const { clientId, node } of items) {
      expect(await look(`sensors/${clientId}`)).toMatchObject({ clientId, node, state: 'active' })
      const own = await look<SensorList>(`sensors?node=${node}`)
      expect(own.items.map((one) => one.clientId)).toContain(clientId)
    }
    const { sensors: states } = await look<GatewayInfo>('gateway')
    expect(states.active).toBe(sensors.length)
    const { members, owners, links, engine } = await look<ClusterInfo>('cluster')
    expect(members.map(({ node, differs }) => [node, differs])).toEqual(
      nodes.map(({ name }) => [name, false]),
    )
    for (const [place, { slots }] of members.entries())
      expect(owners.filter((owner) => owner === place)).toHaveLength(slots)
    expect(links?.nodes.every(({ underWay, mostUnderWay }) => underWay < mostUnderWay)).toBe(true)
    expect(engine.replicated).toBe(false)
  }
}

it.runIf(hasPostgres && haveMosquitto)(
  'sensors go on through any node with the one that owns them, also when one of them dies, comes back, and is stopped',
  async () => {
    const pair = await Pair.open()
    const [a, b, c] = await Promise.all([11, 12, 13].map((n) => start(pair, n)))
    if (!a || !b || !c) throw new Error('three nodes')
    await settled([a, b, c])
    const names = [a, b, c].map(({ name }) => name)
    const sensors = await Promise.all(
      [a, b, c].flatMap((way, i) => names.map((owner) => connected(pair, way, owner, names, i))),
    )
    for (const way of [b, c, a]) for (const one of sensors) await goesOn(pair, one, way)
    expect((await infoOf(b)).links?.forwarded).toBeGreaterThan(10)
    await answersForAll([a, b, c], sensors)

    for (const one of sensors) one.sensor.turnTo(c)
    c.signal('SIGKILL')
    for (const one of sensors) await goesOn(pair, one, a)
    expect((await a.ready()).status).toBe(200)

    const back = await start(pair, 13)
    await settled([a, b, back])
    for (const one of sensors) await goesOn(pair, one, back)
    b.signal('SIGTERM')
    for (const one of sensors) await goesOn(pair, one, a)
    expect(await b.exited).toBe(0)
    await settled([a, back])
    for (const one of sensors) await goesOn(pair, one, back)
  },
  2 * CLUSTER_START,
)
