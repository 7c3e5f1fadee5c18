// Ten rounds of `npm run chaos` with several nodes on a database of their own: what every such run must keep.

import { setMaxListeners } from 'node:events'
import { expect } from 'vitest'
import { type ChaosOutcome, runChaos } from '../../lab/chaos/run.ts'
import { program } from './program.ts'

const ROUNDS = 10

/** Runs them, and checks that nothing was wrong, lost, or there twice. */
export async function expectCalmNodes(nodes: number, seed: number): Promise<ChaosOutcome> {
  const never = new AbortController()
  setMaxListeners(0, never.signal)
  const told: string[] = []
  const outcome = await runChaos({
    ...{ rounds: ROUNDS, seed, nodes, protocol: '5', store: 'postgres', poison: 0, dtls: 0, lines: 0 },
    ...{ shared: 0, keep: false },
    entry: program, // every node starts several times
    say: (line) => told.push(line),
    signal: never.signal,
  })
  expect(outcome.faults, told.join('\n')).toEqual([])
  expect(outcome).toMatchObject({ rounds: ROUNDS, lost: 0, duplicated: 0 })
  expect(outcome.brokerRestarts).toBeGreaterThan(0)
  return outcome
}
