// What happens in a round, as its seed says: when the gateway is killed, when the broker is restarted, and whether there is poison.

import { type EngineTrouble, planEngineTrouble } from './engine-trouble.ts'
import { type NodeTrouble, planNodeTroubles } from './nodes/node-trouble.ts'
import { between, seeded } from './random.ts'

/** Times in milliseconds. */
export interface RoundPlan {
  /** `wait`: since the round began, or since the gateway had started again */
  readonly kills: readonly { readonly wait: number; readonly how: 'SIGKILL' | 'SIGTERM' }[]
  readonly brokerRestart: { readonly wait: number; readonly away: number } | undefined
  /** what happens to nodes, where there are several, in place of `kills` */
  readonly nodeTroubles: readonly NodeTrouble[]
  /** what happens to the database, where the store is one */
  readonly engineTrouble: EngineTrouble | undefined
  /** sensors send what the broker does not take, and strangers and twins come */
  readonly isPoisoned: boolean
  /** dead letters are discarded when the round is over; otherwise they have to outlive the next */
  readonly discards: boolean
}

/**
 * The plan of one round with so many milliseconds of traffic: always the same for the same seed. `poison`: the share of rounds
 * with poison, 0 to 1, on which nothing else depends; `nodes`: how many there are.
 */
export function planRound(seed: number, round: number, traffic: number, poison = 0, nodes = 2): RoundPlan {
  const random = seeded(seed, round, 'plan')
  const brokerRestart =
    random() < 0.25 ? { wait: between(random, 0, traffic), away: between(random, 0, 600) } : undefined
  const spared = brokerRestart !== undefined && random() < 0.3
  const kills: RoundPlan['kills'][number][] = []
  const how = () => (random() < 0.1 ? 'SIGTERM' : 'SIGKILL')
  if (!spared) {
    kills.push({ wait: between(random, 50, traffic), how: how() })
    // The second kill comes while the gateway still restores its sessions.
    if (random() < 0.4) kills.push({ wait: between(random, 0, 500), how: how() })
  }
  const taste = seeded(seed, round, 'poison')
  const engineTrouble = planEngineTrouble(seed, round, traffic)
  const nodeTroubles = planNodeTroubles(seed, round, traffic, nodes)
  return {
    kills,
    nodeTroubles,
    brokerRestart,
    engineTrouble,
    isPoisoned: taste() < poison,
    discards: taste() < 0.5,
  }
}
