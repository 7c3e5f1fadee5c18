// What happens to one of several nodes in a round: it is killed or stopped and started again, stands still and goes on, is cut off from
// the database or from other nodes; or the balancer sends sensors elsewhere.

import { pause } from '../../../src/sensor/pause.ts'
import { between, pick, seeded } from '../random.ts'
import type { GatewayNode, Nodes } from './nodes.ts'

/** Milliseconds of a lease, short for the sake of the run. */
export const LEASE = 2000
/** Milliseconds at most that a node is away. */
const AWAY = 3000
/** Leases that a node stands still or is cut off, least and most. */
const [SHORTEST, LONGEST] = [0.3, 3]
/** Of troubles that meet the node that serves, and of rounds with a second one. */
const [SERVING, TWO] = [0.75, 0.4]

/**
 * kill, stop: and started again. freeze: stands still. refused, silent: its connections to the database are cut, or carry nothing any
 * more. link: the same of those to other nodes. rehash: all sensors go to nodes drawn anew.
 */
const OF_TWO = ['kill', 'kill', 'stop', 'freeze', 'freeze', 'refused', 'silent'] as const
const OF_MORE = [...OF_TWO, 'link', 'rehash'] as const

/** One trouble; `wait`: milliseconds since the round began, or since the one before; `lasts`: until the node is back. */
export interface NodeTrouble {
  readonly kind: (typeof OF_MORE)[number]
  /** of two nodes: the one that serves */
  readonly meetsServing: boolean
  /** of more: which of those that are there, 0 to 1 */
  readonly victim: number
  readonly wait: number
  readonly lasts: number
}

/** How often each was. */
export type NodeTally = Partial<Record<NodeTrouble['kind'], number>>

/** One or two for so many nodes, one after the other: always the same for the same seed. */
export function planNodeTroubles(
  seed: number,
  round: number,
  traffic: number,
  nodes: number,
): readonly NodeTrouble[] {
  const random = seeded(seed, round, 'nodes')
  const plan = (): NodeTrouble => {
    const kind = pick<NodeTrouble['kind']>(random, nodes > 2 ? OF_MORE : OF_TWO)
    const isAway = kind === 'kill' || kind === 'stop'
    const lasts = isAway ? between(random, 0, AWAY) : LEASE * between(random, SHORTEST, LONGEST)
    const meetsServing = random() < SERVING
    return { kind, meetsServing, victim: random(), wait: between(random, 0, traffic), lasts }
  }
  return random() < TWO ? [plan(), plan()] : [plan()]
}

/** Who is told of troubles. */
export interface TroubleEar {
  /** somebody is about to be hurt */
  gatewayKilled(): void
  /** the owner of these sensors may be unable to hear them, until the result is called */
  beginSilence(befalls: (sensor: string) => boolean): () => void
}

/** Makes them. Resolves when all nodes have been started again. */
export async function troubleNodes(
  troubles: readonly NodeTrouble[],
  nodes: Nodes,
  tally: NodeTally,
  ear: TroubleEar,
  signal: AbortSignal,
): Promise<void> {
  for (const trouble of troubles) {
    const { kind, wait, lasts } = trouble
    await pause(wait, signal)
    const node = victimOf(trouble, nodes)
    if (signal.aborted || node === undefined) continue
    tally[kind] = (tally[kind] ?? 0) + 1
    ear.gatewayKilled()
    switch (kind) {
      case 'kill':
      case 'stop':
        await node.end(kind === 'kill' ? 'SIGKILL' : 'SIGTERM')
        await pause(lasts, signal)
        await startAgain(node, signal)
        break
      case 'freeze':
        // It may have ended by the time it goes on, and another process have its number: it is looked for by its object.
        node.process.signal('SIGSTOP')
        await pause(lasts, signal)
        node.process.signal('SIGCONT')
        break
      case 'refused':
      case 'silent':
        await node.ways.engine?.set(kind)
        await pause(lasts, signal)
        await node.ways.engine?.set('open')
        break
      case 'link': {
        // A sensor may have come to another node than its owner's.
        const endSilence = ear.beginSilence(() => true)
        await node.ways.links?.cut()
        await pause(lasts, signal)
        await node.ways.links?.mend()
        endSilence()
        break
      }
      case 'rehash':
        nodes.balancer?.rehash(trouble.victim)
        break
    }
  }
}

function victimOf({ kind, meetsServing, victim }: NodeTrouble, nodes: Nodes): GatewayNode | undefined {
  const there = nodes.all.filter(({ isAway, process }) => !isAway && process.running)
  if (nodes.isPair) return there.find((node) => (node === nodes.serving) === meetsServing)
  // the smaller name dials: nobody has a link to the first one that goes through its port
  const eligible = kind === 'link' ? there.filter((node) => node !== nodes.all[0]) : there
  return eligible[Math.floor(victim * eligible.length)]
}

/** As a supervisor does: a start that fails, since the engine is away for instance, is tried again. */
export async function startAgain(node: GatewayNode, signal: AbortSignal): Promise<void> {
  for (let isStarted = false; !isStarted && !signal.aborted; ) {
    isStarted = await node.start().then(
      () => true,
      () => false,
    )
    if (!isStarted) await pause(100, signal)
  }
}
