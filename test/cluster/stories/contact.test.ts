// Several nodes with links, of which one or all lose the database: who alone has lost it stops in time, and all together go on.

import { expect, it, onTestFinished } from 'vitest'
import { TcpProxy } from '../../../lab/tcp-proxy.ts'
import { freePort, haveMosquitto } from '../../support/broker.ts'
import { CLUSTER_START, LEASE, type NodeProcess, Pair } from '../../support/cluster.ts'
import { aWhile } from '../../support/gateway.ts'
import { hasPostgres } from '../../support/postgres.ts'
import { connected, goesOn, infoOf, settled, startSharing } from '../../support/sharing-nodes.ts'

const here = hasPostgres && haveMosquitto
/** Milliseconds that may pass until it is seen, on a machine that is busy with other things. */
const SEEN = 1000

/** Three nodes, each with a way of its own to the database; and a sensor of each node, in turn by each. */
async function three() {
  const pair = await Pair.open()
  const ways: TcpProxy[] = []
  const nodes = await Promise.all(
    [11, 12, 13].map(async (n, i) => {
      const way = await TcpProxy.open(await freePort(), pair.engine.primary.port)
      onTestFinished(() => way.close())
      ways[i] = way
      return startSharing(pair, n, { store: { type: 'postgres', url: pair.engine.urlThrough([way.port]) } })
    }),
  )
  await settled(nodes)
  const names = nodes.map(({ name }) => name)
  const sensors = await Promise.all(
    names.map((owner, i) => connected(pair, nodes[i] as NodeProcess, owner, names)),
  )
  return { pair, nodes: nodes as [NodeProcess, NodeProcess, NodeProcess], ways, sensors }
}

const hasTaken = ({ lines }: NodeProcess): boolean => lines.some(({ msg }) => msg.startsWith('taking over'))

it.runIf(here).each(['refused', 'silent'] as const)(
  'a node that alone has lost the database (%s) stops before others have its slots, its sensors go on through these, and it ends when the database is back',
  async (mode) => {
    const { pair, nodes, ways, sensors } = await three()
    const [a, b, c] = nodes
    await ways[0]?.set(mode)
    const begun = performance.now()
    for (let isReady = true; isReady; ) {
      const taken = hasTaken(b) || hasTaken(c)
      isReady = (await a.ready()).status === 200
      expect(isReady && taken).toBe(false)
      expect(performance.now() - begun).toBeLessThan(LEASE + SEEN)
    }
    expect((await a.ready()).reasons).toEqual(['the lease of this node has run out'])
    for (const way of [b, c]) for (const one of sensors) await goesOn(pair, one, way)
    for (const one of [b, c])
      await expect.poll(async () => (await infoOf(one)).slots, { timeout: 20_000 }).toBe(512)
    expect(a.lines.map(({ msg }) => msg)).toContain(
      'others have the engine, or too few of them can be asked: this node serves nothing until it has it again',
    )
    expect((await a.ready()).status).toBe(503)
    await ways[0]?.set('open')
    expect(await a.exited).toBe(3)
    for (const one of sensors) await goesOn(pair, one, b)
  },
  2 * CLUSTER_START,
)

it.runIf(here).each(['refused', 'silent'] as const)(
  'nodes that have all lost the database (%s) go on with QoS 1 for longer than a lease, and none is taken for dead when it is back',
  async (mode) => {
    const { pair, nodes, ways, sensors } = await three()
    for (const way of ways) await way.set(mode)
    const until = performance.now() + 3 * LEASE
    for (let i = 0; performance.now() < until; i += 1) {
      const { sensor, topicId } = sensors[i % 3] ?? {}
      sensor?.turnTo(nodes[(i >> 1) % 3] as NodeProcess)
      expect(await sensor?.publish(topicId ?? 0, `without ${i}`)).toBe(0)
      for (const node of nodes) expect(await node.ready()).toMatchObject({ status: 200 })
      await aWhile(50)
    }
    for (const way of ways) {
      await way.set('open')
      await aWhile(500) // one after the other: the first one must not judge the others
    }
    await aWhile(3 * LEASE)
    for (const node of nodes) expect([(await node.ready()).status, hasTaken(node)]).toEqual([200, false])
    for (const { sensor, topicId } of sensors) {
      for (const way of nodes) {
        sensor.turnTo(way)
        expect(await sensor.publish(topicId, `after, by ${way.name}`)).toBe(0)
      }
      expect(sensor.peer.types()).not.toContain('disconnect')
      expect(sensor.peer.types().split('connack')).toHaveLength(2)
    }
    expect(pair.published.filter((one) => one.startsWith('will/'))).toEqual([])
  },
  2 * CLUSTER_START,
)
