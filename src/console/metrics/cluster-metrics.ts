// Metrics of a node: whether it serves, until when it may, and who else is there.

import type { ClusterInfo } from '../contract/cluster.ts'
import { type Add, by, type Values } from './listener-metrics.ts'

/** Registers them; `cluster` gives what a scrape sees, undefined where no other node can be. */
export function addClusterMetrics(
  { counter, gauge }: { readonly counter: Add; readonly gauge: Add },
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
}
