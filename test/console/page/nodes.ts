// A cluster of three nodes that each serve their share, as one of them tells of it.

import type { ClusterInfo } from '../../../src/console/contract/cluster.ts'

/** What is wrong with it; all is well where nothing is said. */
export interface Trouble {
  /** nodes besides the one that is asked */
  readonly others?: number
  /** the last one has this lease left */
  readonly leaseLeft?: number
  readonly replicated?: boolean
  /** of the last one */
  readonly differences?: readonly string[]
  readonly version?: string
  /** why there is no link to the last one */
  readonly linkWhy?: string
  readonly underWay?: number
  readonly refused?: boolean
  readonly engine?: string
  readonly hindrance?: string
  readonly free?: number
  readonly shared?: boolean
}

/** As node `gw-1` tells of it. */
export function cluster(trouble: Trouble = {}): ClusterInfo {
  const { others = 2, leaseLeft = 4200, replicated = true, differences = [], version = '1.4.0' } = trouble
  const { linkWhy, underWay = 3, refused = false, engine, hindrance, free = 0, shared = true } = trouble
  const names = Array.from({ length: others + 1 }, (_, i) => `gw-${i + 1}`)
  const last = names.length - 1
  const owners = Array.from({ length: 1024 }, (_, slot) =>
    slot < free ? -1 : shared ? (slot * 7 + (slot >> 4)) % names.length : 0,
  )
  return {
    node: 'gw-1',
    state: 'active',
    hindrance,
    lease: 5000,
    leaseLeft: 4310,
    takeovers: 2,
    shared,
    slots: owners.filter((place) => place === 0).length,
    arriving: 12,
    leaving: 0,
    engine: {
      host: 'db1.example:5432',
      up: engine === undefined,
      trouble: engine,
      latency: 1.84,
      answeredAgo: 420,
      replicated,
      warnings: replicated ? [] : ['it has no synchronous standby'],
    },
    members: names.map((node, i) => ({
      node,
      incarnation: 7 + i,
      state: shared || i === 0 ? 'active' : 'standby',
      address: `tcp://10.0.0.${11 + i}:41000`,
      link: shared ? `10.0.0.${11 + i}:1886` : undefined,
      version: i === last ? version : '1.4.0',
      leaseLeft: i === last && i > 0 ? leaseLeft : 4310,
      slots: owners.filter((place) => place === i).length,
      isSelf: i === 0,
      lasting: 7_300_000 - i * 60_000,
      differs: i === last && differences.length > 0,
      differences: i === last ? differences : [],
    })),
    owners,
    links: shared
      ? {
          nodes: names.slice(1).map((node, i) => {
            const why = i === others - 1 ? linkWhy : undefined
            const isUp = why === undefined
            const trip = isUp ? 0.21 : undefined
            return { node, isUp, lasting: 61_000, why, trip, underWay, mostUnderWay: 16_384 }
          }),
          ...{ forwarded: 5_213, answered: 5_190, asked: 12, held: 9, holding: 0, refused: refused ? 3 : 0 },
          ...{ calls: [], unshown: 0 },
          lastRefused: refused
            ? { ago: 9000, address: '10.0.0.99', node: 'gw-9', why: 'it does not know the secret' }
            : undefined,
        }
      : undefined,
  }
}
