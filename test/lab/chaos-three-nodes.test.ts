// Some rounds of `npm run chaos` with three nodes that share the sensors: nodes, their links and the database are hurt under traffic, and
// nobody may be able to tell.

import { expect, it } from 'vitest'
import { haveMosquitto } from '../support/broker.ts'
import { expectCalmNodes } from '../support/cluster-chaos.ts'
import { hasPostgres } from '../support/postgres.ts'

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
    const outcome = await expectCalmNodes(3, SEED)
    const ofNodes = ['freeze', 'kill', 'link', 'refused', 'rehash', 'silent', 'stop']
    expect(Object.keys(outcome.nodes).toSorted()).toEqual(ofNodes)
    expect(Object.keys(outcome.engine).toSorted()).toEqual([
      'cut',
      'failover',
      'freeze',
      'restart',
      'standby',
    ])
    expect(outcome.writers).toBeGreaterThan(3)
    expect(outcome.acknowledged).toBeGreaterThan(300)
  },
)
