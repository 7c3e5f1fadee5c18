// Metrics of a node: whether it serves, until when it may, and who else is there.

import type { ClusterInfo, ClusterLinksInfo } from '../contract/cluster.ts'
import { by, type Values } from './listener-metrics.ts'
import type { Adders } from './registering.ts'

/** Registers them; `cluster` gives what a scrape sees, undefined where no other node can be. */
export function addClusterMetrics(
  { counter, gauge, histogram }: Adders,
  cluster: () => ClusterInfo | undefined,
): void {
  const one = (read: (cluster: ClusterInfo) => number) => (): Values => {
    const info = cluster()
    return info === undefined ? [] : [[{ node: info.node }, read(info)]]
  }
  gauge(
    'mqttsn_serving',
    'With PostgreSQL: 1 while this node serves sensors, 0 while it stands by or has lost its lease.',
    ['node'],
    one(({ hindrance }) => (hindrance === undefined ? 1 : 0)),
  )
  gauge(
    'mqttsn_slots',
    'With PostgreSQL: how many of the 1024 slots of sensors this node serves now.',
    ['node'],
    one(({ slots }) => slots),
  )
  gauge(
    'mqttsn_lease_seconds',
    'With PostgreSQL: how long this node may serve without hearing of the database again; 0 while it has no lease.',
    ['node'],
    one(({ leaseLeft }) => leaseLeft / 1000),
  )
  counter(
    'mqttsn_takeovers_total',
    'With PostgreSQL: how often this process has taken sensors over from a node that was gone.',
    ['node'],
    one(({ takeovers }) => takeovers),
  )
  gauge(
    'mqttsn_cluster_nodes',
    'With PostgreSQL: nodes whose lease holds, by what they do, as this one has seen them last.',
    ['state'],
    () => {
      const info = cluster()
      if (info === undefined) return []
      const counts: Record<string, number> = { active: 0, standby: 0, draining: 0 }
      for (const { state, leaseLeft = 0 } of info.members)
        if (leaseLeft > 0) counts[state] = (counts[state] ?? 0) + 1
      return by('state', counts)
    },
  )
  const links = (read: (links: ClusterLinksInfo, node: string) => Values) => (): Values => {
    const info = cluster()
    return info?.links === undefined ? [] : read(info.links, info.node)
  }
  gauge(
    'mqttsn_node_link_up',
    'With cluster.listen: 1 while this node is linked to the other one, `peer`, and 0 while it is not.',
    ['node', 'peer'],
    links(({ nodes }, node) => nodes.map((link) => [{ node, peer: link.node }, link.isUp ? 1 : 0])),
  )
  counter(
    'mqttsn_forwarded_total',
    'With cluster.listen: datagrams that went on over links: of sensors to the nodes that serve them (`way` "in"), and answers back through the nodes that they came by ("out").',
    ['node', 'way'],
    links(({ forwarded, answered }, node) => [
      [{ node, way: 'in' }, forwarded],
      [{ node, way: 'out' }, answered],
    ]),
  )
  counter(
    'mqttsn_asked_total',
    'With cluster.listen: addresses for whose sensors the other nodes were asked, since their datagrams came by another way than before.',
    ['node'],
    links(({ asked }, node) => [[{ node }, asked]]),
  )
  counter(
    'mqttsn_held_total',
    'With cluster.listen: datagrams that were held until it was known who serves their sensors.',
    ['node'],
    links(({ held }, node) => [[{ node }, held]]),
  )
  counter(
    'mqttsn_node_links_refused_total',
    'With cluster.listen: connections from what is no node of this cluster, or does not know its secret.',
    ['node'],
    links(({ refused }, node) => [[{ node }, refused]]),
  )
  histogram(
    'mqttsn_node_call_seconds',
    'With cluster.listen: how long another node, `peer`, took to answer what the console of this one asked of it.',
    ['node', 'peer'],
    () => {
      const { node = '', links } = cluster() ?? {}
      return (links?.calls ?? []).map(({ node: peer, times }) => [{ node, peer }, times])
    },
  )
  counter(
    'mqttsn_node_calls_failed_total',
    'With cluster.listen: questions of the console to another node, `peer`, that it has not answered.',
    ['node', 'peer'],
    links(({ calls }, node) => calls.map(({ node: peer, failed }) => [{ node, peer }, failed])),
  )
  counter(
    'mqttsn_node_unshown_total',
    'With cluster.listen: what passed between a sensor and this node while the console of another one looked on, and was more than that one is told.',
    ['node'],
    links(({ unshown }, node) => [[{ node }, unshown]]),
  )
}
