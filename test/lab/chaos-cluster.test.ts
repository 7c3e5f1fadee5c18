// Some rounds of `npm run chaos` with two nodes on a database: nodes and database are hurt under traffic, and nobody may be able to tell.

import { expect, it } from 'vitest'
import { haveMosquitto } from '../support/broker.ts'
import { expectCalmNodes } from '../support/cluster-chaos.ts'
import { hasPostgres } from '../support/postgres.ts'

/** every trouble of a node and of the database, and short ones: see the plans */
const SEED = 2051
/** Milliseconds on a machine that is busy with other things; alone it takes less than one minute. */
const TIMEOUT = 240_000

it.skipIf(!haveMosquitto || !hasPostgres)(
  'two nodes are one gateway while they are killed, stopped, frozen and cut off, and the database and the broker with them: nothing ' +
    'acknowledged is lost, QoS 2 arrives once, no sensor connects or registers again, and no slot has two writers in one epoch (PostgreSQL)',
  { timeout: TIMEOUT },
  async () => {
    const outcome = await expectCalmNodes(2, SEED)
    expect(Object.keys(outcome.nodes).toSorted()).toEqual(['freeze', 'kill', 'refused', 'silent', 'stop'])
    expect(Object.keys(outcome.engine).length).toBeGreaterThan(3)
    expect(outcome.writers).toBeGreaterThan(3)
    expect(outcome.acknowledged).toBeGreaterThan(300)
  },
)
