// Some rounds of `npm run chaos` with three nodes that share the sensors: nodes, their links and the database are hurt under traffic, and
// nobody may be able to tell.

import { setMaxListeners } from 'node:events'
import { expect, it } from 'vitest'
import { runChaos } from '../../lab/chaos/run.ts'
import { haveMosquitto } from '../support/broker.ts'
import { hasPostgres } from '../support/postgres.ts'
import { program } from '../support/program.ts'

/** every trouble of nodes and of the database, some for longer than a lease, and short ones otherwise: see the plans */
const SEED = 16_319
/** Milliseconds on a machine that is busy with other things; alone it takes about one minute. */
const TIMEOUT = 300_000

it.skipIf(!haveMosquitto || !hasPostgres)(
  'three nodes are one gateway while they are killed, stopped, frozen, cut off from the database and from each other, while sensors ' +
    'are sent elsewhere, and the database and the broker are hurt with them: nothing acknowledged is lost, QoS 2 arrives once, no ' +
    'sensor connects or registers again, no slot has two writers in one epoch, and nobody holds anything in the end (PostgreSQL)',
  { timeout: TIMEOUT },
  async () => {
    const never = new AbortController()
    setMaxListeners(0, never.signal)
    const told: string[] = []
    const outcome = await runChaos({
      ...{ rounds: 10, seed: SEED, nodes: 3, protocol: '5', store: 'postgres', poison: 0, dtls: 0, lines: 0 },
      ...{ shared: 0, keep: false },
      entry: program, // every node starts several times
      say: (line) => told.push(line),
      signal: never.signal,
    })
    expect(outcome.faults, told.join('\n')).toEqual([])
    expect(outcome).toMatchObject({ rounds: 10, lost: 0, duplicated: 0 })
    const ofNodes = ['freeze', 'kill', 'link', 'refused', 'rehash', 'silent', 'stop']
    expect(Object.keys(outcome.nodes).toSorted()).toEqual(ofNodes)
    expect(Object.keys(outcome.engine).toSorted()).toEqual([
      'cut',
      'failover',
      'freeze',
      'restart',
      'standby',
    ])
    expect(outcome.brokerRestarts).toBeGreaterThan(0)
    expect(outcome.writers).toBeGreaterThan(3)
    expect(outcome.acknowledged).toBeGreaterThan(300)
  },
)
