// What happens to one of several nodes in a round: it is killed or stopped and started again, or stands still and goes on.

import { pause } from '../../../src/sensor/pause.ts'
import { between, pick, seeded } from '../random.ts'
import type { GatewayNode, Nodes } from './nodes.ts'

/** Milliseconds of a lease, short for the sake of the run. */
export const LEASE = 2000
/** Milliseconds at most that a node is away. */
const AWAY = 3000
/** Leases that a node stands still, least and most. */
const [SHORTEST, LONGEST] = [0.3, 3]
/** Of troubles that meet the node that serves, and of rounds with a second one. */
const [SERVING, TWO] = [0.75, 0.4]

/** One trouble; `wait`: milliseconds since the round began, or since the one before; `lasts`: until the node is back. */
export interface NodeTrouble {
  readonly kind: 'kill' | 'stop' | 'freeze'
  readonly meetsServing: boolean
  readonly wait: number
  readonly lasts: number
}

/** How often each was. */
export type NodeTally = Partial<Record<NodeTrouble['kind'], number>>

/** One or two, one after the other: always the same for the same seed. */
export function planNodeTroubles(seed: number, round: number, traffic: number): readonly NodeTrouble[] {
  const random = seeded(seed, round, 'nodes')
  const plan = (): NodeTrouble => {
    const kind = pick<NodeTrouble['kind']>(random, ['kill', 'kill', 'stop', 'freeze', 'freeze'])
    const lasts = kind === 'freeze' ? LEASE * between(random, SHORTEST, LONGEST) : between(random, 0, AWAY)
    return { kind, meetsServing: random() < SERVING, wait: between(random, 0, traffic), lasts }
  }
  return random() < TWO ? [plan(), plan()] : [plan()]
}

/** Makes them; `onHurt` is called before anybody is hurt. Resolves when all nodes have been started again. */
export async function troubleNodes(
  troubles: readonly NodeTrouble[],
  nodes: Nodes,
  tally: NodeTally,
  onHurt: () => void,
  signal: AbortSignal,
): Promise<void> {
  for (const { kind, meetsServing, wait, lasts } of troubles) {
    await pause(wait, signal)
    const { serving } = nodes
    const node = nodes.all.find(
      (one) => !one.isAway && one.process.running && (one === serving) === meetsServing,
    )
    if (signal.aborted || node === undefined) continue
    tally[kind] = (tally[kind] ?? 0) + 1
    onHurt()
    if (kind === 'freeze') await freeze(node, lasts, signal)
    else {
      await node.end(kind === 'kill' ? 'SIGKILL' : 'SIGTERM')
      await pause(lasts, signal)
      await startAgain(node, signal)
    }
  }
}

/** It may have ended by the time it goes on, and another process have its number: it is looked for by its object. */
async function freeze(node: GatewayNode, lasts: number, signal: AbortSignal): Promise<void> {
  node.process.signal('SIGSTOP')
  await pause(lasts, signal)
  node.process.signal('SIGCONT')
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
