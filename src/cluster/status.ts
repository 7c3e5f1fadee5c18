// What a node tells of itself and of the others, for people and for metrics.

import type { ClusterInfo } from '../console/contract/cluster.ts'
import { SLOTS } from '../sessions/slots.ts'
import { type Identity, isSame, type Member } from './judging/engine.ts'
import type { Sightings } from './judging/sightings.ts'
import type { ClusterNode } from './node.ts'
import { shownAddress } from './tables/addresses.ts'
import type { EngineLine } from './tables/engine-line.ts'

/** What the status is made of besides the node. */
export interface StatusParts {
  readonly lease: number
  readonly line: Pick<EngineLine, 'host' | 'latency'>
  readonly sightings: Pick<Sightings, 'lastingOf'>
  differences(member: Member): readonly string[]
}

/** As it is now. */
export function statusOf(
  node: ClusterNode,
  { lease, line, sightings, differences }: StatusParts,
): ClusterInfo {
  const now = performance.now()
  const { last, trouble } = node
  const ago = last === undefined ? 0 : now - last.at
  const seen = [...(last?.look.members ?? [])].sort((a, b) => (a.node < b.node ? -1 : 1))
  const members = seen.map((member) => {
    const { node: name, incarnation, address, link, version, state, expires } = member
    const different = differences(member)
    const isDeposed = expires === Number.NEGATIVE_INFINITY
    return {
      node: name,
      incarnation,
      address: shownAddress(address),
      link,
      version,
      state: isDeposed ? ('deposed' as const) : state,
      leaseLeft: isDeposed || last === undefined ? undefined : Math.round(expires - last.look.now - ago),
      slots: last?.look.holdings.find((owner) => isSame(owner, member))?.slots ?? 0,
      isSelf: node.self !== undefined && isSame(node.self, member),
      lasting: sightings.lastingOf(member),
      differs: different.length > 0,
      differences: different,
    }
  })
  return {
    node: node.name,
    state: node.state,
    hindrance: hindranceOf(node),
    lease,
    leaseLeft: Math.max(0, Math.round(node.leaseEnd - now)) || 0,
    takeovers: node.takeovers,
    shared: node.share !== undefined,
    slots: node.share?.served ?? (node.state === 'active' || node.state === 'draining' ? SLOTS : 0),
    arriving: node.share?.arriving ?? 0,
    leaving: node.share?.leaving ?? 0,
    engine: {
      host: line.host,
      up: trouble === undefined && last !== undefined,
      trouble,
      latency: line.latency,
      answeredAgo: last === undefined ? undefined : Math.round(ago),
    },
    members,
    owners: ownersOf(last?.look.owners ?? [], seen),
  }
}

/** Their places among the members. */
function ownersOf(owners: readonly (Identity | undefined)[], members: readonly Identity[]): number[] {
  const places = new Map(members.map(({ node, incarnation }, i) => [`${incarnation} ${node}`, i]))
  return Array.from({ length: SLOTS }, (_, slot) => {
    const owner = owners[slot]
    return owner === undefined ? -1 : (places.get(`${owner.incarnation} ${owner.node}`) ?? -1)
  })
}

/** Nothing in it is secret: everybody may ask whether a gateway is ready. */
function hindranceOf(node: ClusterNode): string | undefined {
  const { state, hindrance, trouble } = node
  if (state === 'active' && !node.holds()) return 'the lease of this node has run out'
  if (state === 'active' && node.share?.served === 0)
    return 'no share of the sensors yet: the other nodes hand it over'
  if (state === 'active') return undefined
  if (state === 'draining' || state === 'left') return 'the node is being stopped'
  if (state === 'deposed') return 'another node has taken over'
  if (state === 'taking-over') return 'the node takes over the sessions'
  if (trouble !== undefined) return 'the database server cannot be reached'
  if (hindrance?.type === 'name-in-use')
    return `another process is node ${hindrance.by.node}: this one needs a name of its own (cluster.node)`
  if (hindrance === undefined) return 'the node joins the cluster'
  return `standing by: node ${hindrance.owner.node} serves`
}
