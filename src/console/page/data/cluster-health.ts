// Is everything well with the nodes that share a database: their leases, links, configurations, and the database? Pure.

import type { ClusterInfo, ClusterMember } from '../../contract/cluster.ts'
import { count, duration, plural } from '../parts/format.ts'
import { severityOf } from '../words/explained.ts'
import { doc, type Found } from './found.ts'

export type ClusterTrouble = Omit<Found, 'value'>

/** Milliseconds for which a refused link is told of. */
const LATELY = 300_000
/** Share of what may be on its way to a node from which on it does not keep up. */
const CONGESTED = 0.5
/** Milliseconds for which slots may be without an owner, or links be down, before it is loud. */
const PATIENCE = 15_000
/** Milliseconds for which a link may be down without a word: nodes come and go. */
const MOMENT = 3000

/** Whether it takes part: its lease holds. */
export const isThere = ({ state, leaseLeft }: ClusterMember): boolean =>
  state !== 'deposed' && (leaseLeft ?? 0) > 0

/** Everything that is wrong, the worst first. */
export function clusterTroubles(cluster: ClusterInfo): ClusterTrouble[] {
  const all = [
    ...ofEngine(cluster),
    ...ofItself(cluster),
    ...ofSlots(cluster),
    ...ofOthers(cluster),
    ...ofLinks(cluster),
    ...ofDifferences(cluster),
  ]
  return all.sort((a, b) => severityOf(b) - severityOf(a))
}

/** For the overview. */
export function ofCluster(cluster: ClusterInfo): Found {
  const there = cluster.members.filter(isThere)
  const value = plural(there.length, 'node')
  const [worst, ...others] = clusterTroubles(cluster)
  if (worst === undefined) return { tone: 'good', value, text: inWords(cluster, there) }
  const more = others.length === 0 ? '' : ` The page "Cluster" tells of ${count(others.length)} more.`
  return { ...worst, value, next: `${worst.next ?? ''}${more}` }
}

function inWords({ shared, state, node, hindrance }: ClusterInfo, there: readonly ClusterMember[]): string {
  if (shared) return `Each serves its share of the sensors: ${there.map((one) => one.node).join(', ')}.`
  if (state === 'active') return `This one, ${node}, serves; the others stand by.`
  return `This one, ${node}, waits: ${hindrance ?? 'it does not serve'}.`
}

function* ofEngine({ engine }: ClusterInfo): Generator<ClusterTrouble> {
  const { up, trouble, host, replicated, warnings = [] } = engine
  if (!up && trouble !== undefined)
    yield {
      tone: 'bad',
      text: `The database server does not answer: ${trouble}.`,
      next: `See whether ${host ?? 'it'} runs and can be reached. What needs no write goes on meanwhile, and nobody takes over while no node reaches it.`,
      ...doc('store-fails'),
    }
  if (replicated === false)
    yield {
      tone: 'warn',
      text: `The database server keeps what it acknowledges on one machine only, or not safely there${warnings.length === 0 ? '' : `: ${warnings.join('; ')}`}.`,
      next: 'Give it a synchronous standby, or say with "store.replicated" that its storage is on several machines.',
      ...doc('database-promises-less'),
    }
}

function* ofItself({ state, node, hindrance, shared }: ClusterInfo): Generator<ClusterTrouble> {
  if (hindrance === undefined || (state === 'standby' && !shared)) return
  const isPassing = state === 'taking-over' || state === 'draining' || state === 'joining'
  yield {
    tone: isPassing || state === 'standby' ? 'note' : 'warn',
    text: `Node ${node} should not be sent sensors now: ${hindrance}.`,
    next: 'Balancers see that by /health/ready. The log of the node says more.',
    ...doc('standing-by'),
  }
}

function* ofSlots({ owners, members, lease }: ClusterInfo): Generator<ClusterTrouble> {
  const nobodys = owners.filter((place) => place < 0).length
  const gone = members.filter((one) => one.slots > 0 && !isThere(one))
  const slots = nobodys + gone.reduce((sum, one) => sum + one.slots, 0)
  if (slots === 0 || owners.length === 0) return
  const whose = gone.length === 0 ? '' : ` (of ${gone.map(({ node }) => node).join(', ')})`
  const isLong = gone.some(({ leaseLeft, lasting }) =>
    leaseLeft === undefined ? lasting > PATIENCE : -leaseLeft > lease + PATIENCE,
  )
  yield {
    tone: isLong ? 'bad' : 'warn',
    text: `Nobody serves ${count(slots)} of ${count(owners.length)} slots${whose}: their sensors get no answer.`,
    next: 'Another node takes them within seconds. If it does not, see whether the nodes reach the database, and what their logs say.',
    ...doc('slots-of-nobody'),
  }
}

function* ofOthers({ members, shared, node }: ClusterInfo): Generator<ClusterTrouble> {
  const heirs = members.filter((one) => isThere(one) && one.node !== node && one.state !== 'draining')
  if (heirs.length > 0) return
  yield {
    tone: 'warn',
    text: shared ? 'There is no other node.' : 'No node stands by.',
    next: `When ${node} is gone, nobody goes on with its sensors. Start another node with the same database.`,
    ...doc('node-alone'),
  }
}

function* ofLinks({ links }: ClusterInfo): Generator<ClusterTrouble> {
  if (links === undefined) return
  const { nodes, refused, lastRefused } = links
  for (const { node, isUp, why, lasting, underWay, mostUnderWay } of nodes) {
    if (!isUp)
      yield {
        tone: lasting < MOMENT ? 'note' : lasting > PATIENCE ? 'bad' : 'warn',
        text: `No link to node ${node} for ${duration(lasting / 1000)}: ${why ?? 'not linked yet'}.`,
        next: 'Messages that come to one of them for sensors of the other are dropped. Is the port of "cluster.listen" open between them, and "cluster.secret" the same?',
        ...doc('node-links'),
      }
    else if (underWay > mostUnderWay * CONGESTED)
      yield {
        tone: 'warn',
        text: `Node ${node} does not keep up: ${count(underWay)} messages are on their way to it, of ${count(mostUnderWay)} that may be.`,
        next: 'It has too much to do, or the network between the nodes is slow.',
        ...doc('node-links'),
      }
  }
  if (lastRefused !== undefined && lastRefused.ago < LATELY)
    yield {
      tone: 'warn',
      text: `A link was refused ${duration(lastRefused.ago / 1000)} ago, ${count(refused)} since the start: ${lastRefused.why}.`,
      next: `It came from ${lastRefused.address ?? 'an unknown address'}${lastRefused.node === undefined ? '' : ` and said to be node ${lastRefused.node}`}.`,
      ...doc('node-links'),
    }
}

function* ofDifferences({ members }: ClusterInfo): Generator<ClusterTrouble> {
  for (const member of members) {
    const { node, differences } = member
    if (differences.length === 0 || !isThere(member)) continue
    yield {
      tone: 'warn',
      text: `Node ${node} runs with another configuration: ${differences.join(', ')}.`,
      next: 'Sensors would be served otherwise after a takeover. Give all nodes the same configuration, and reload it.',
      ...doc('nodes-differ'),
    }
  }
  const versions = new Set(members.filter(isThere).flatMap(({ version }) => version ?? []))
  if (versions.size > 1)
    yield {
      tone: 'note',
      text: `Nodes run different versions: ${[...versions].sort().join(', ')}.`,
      next: 'That is as it should be while an upgrade is under way.',
      ...doc('nodes-differ'),
    }
}
