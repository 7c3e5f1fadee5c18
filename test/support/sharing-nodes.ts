// Several nodes as processes of their own, each of which serves its share of the sensors, with links between them; and sensors that come
// through any of them.

import { expect } from 'vitest'
import { planSlots } from '../../src/cluster/plan.ts'
import type { ClusterInfo } from '../../src/console/contract/cluster.ts'
import { slotOfName } from '../../src/sessions/slots.ts'
import { type ClusterSensor, LEASE, type NodeProcess, type Pair } from './cluster.ts'
import { until } from './gateway.ts'

const SECRET = 'known to all of them'

/** Starts a node that serves its share. */
export function startSharing(pair: Pair, n: number, more: object = {}): Promise<NodeProcess> {
  const cluster = { node: `gw-${n}`, lease: `${LEASE}ms`, settle: '1s', drain: '20s', secret: SECRET }
  return pair.node(n, {
    compiled: true,
    more: { cluster: { ...cluster, listen: `tcp://127.0.0.${n}:0` }, ...more },
  })
}

/** What it says of the cluster. */
export async function infoOf({ console }: NodeProcess): Promise<ClusterInfo> {
  return (await (await fetch(`${console}/api/cluster`)).json()) as ClusterInfo
}

/** Waits until each serves its share of the plan, and is linked to all others. */
export async function settled(nodes: readonly NodeProcess[]): Promise<void> {
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

/** A sensor that is connected. */
export interface Served {
  readonly name: string
  readonly sensor: ClusterSensor
  readonly topicId: number
}

/** A sensor whose slot is that node's, as the plan for these nodes goes. */
export async function connected(
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
export async function goesOn(pair: Pair, { name, sensor, topicId }: Served, at: NodeProcess): Promise<void> {
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
