// Some rounds of `npm run chaos` with two nodes on a database: nodes and database are hurt under traffic, and nobody may be able to tell.

import { setMaxListeners } from 'node:events'
import { existsSync } from 'node:fs'
import { expect, it } from 'vitest'
import { runChaos } from '../../lab/chaos/run.ts'
import { haveMosquitto } from '../support/broker.ts'
import { hasPostgres } from '../support/postgres.ts'

/** every trouble of a node and of the database, and short ones: see the plans */
const SEED = 2051
/** Milliseconds on a machine that is busy with other things; alone it takes less than one minute. */
const TIMEOUT = 240_000

const compiled = 'dist/src/cli.js'

it.skipIf(!haveMosquitto || !hasPostgres)(
  'two nodes are one gateway while they are killed, stopped, frozen and cut off, and the database and the broker with them: nothing ' +
    'acknowledged is lost, QoS 2 arrives once, no sensor connects or registers again, and no slot has two writers in one epoch (PostgreSQL)',
  { timeout: TIMEOUT },
  async () => {
    const never = new AbortController()
    setMaxListeners(0, never.signal)
    const told: string[] = []
    const outcome = await runChaos({
      ...{
        rounds: 10,
        seed: SEED,
        protocol: '5',
        store: 'postgres',
        poison: 0,
        dtls: 0,
        lines: 0,
        shared: 0,
      },
      nodes: 2,
      keep: false,
      // what was compiled starts sooner, and every node starts several times
      entry: existsSync(compiled) ? [compiled] : ['--import', 'tsx', 'src/cli.ts'],
      say: (line) => told.push(line),
      signal: never.signal,
    })
    expect(outcome.faults, told.join('\n')).toEqual([])
    expect(outcome).toMatchObject({ rounds: 10, lost: 0, duplicated: 0 })
    expect(Object.keys(outcome.nodes).toSorted()).toEqual(['freeze', 'kill', 'refused', 'silent', 'stop'])
    expect(Object.keys(outcome.engine).length).toBeGreaterThan(3)
    expect(outcome.brokerRestarts).toBeGreaterThan(0)
    expect(outcome.writers).toBeGreaterThan(3)
    expect(outcome.acknowledged).toBeGreaterThan(300)
  },
)
