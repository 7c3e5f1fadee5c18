// Several nodes with links between them, behind something that sends a sensor's messages to any of them.

import { expect, it } from 'vitest'
import type { ClusterInfo } from '../../../src/console/contract/cluster.ts'
import type { GatewayInfo } from '../../../src/console/contract/gateway.ts'
import type { SensorList } from '../../../src/console/contract/sensors.ts'
import { haveMosquitto } from '../../support/broker.ts'
import { CLUSTER_START, type NodeProcess, Pair } from '../../support/cluster.ts'
import { hasPostgres } from '../../support/postgres.ts'
import {
  connected,
  goesOn,
  infoOf,
  type Served,
  settled,
  startSharing as start,
} from '../../support/sharing-nodes.ts'

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
