// Some rounds of `npm run chaos`: a gateway as a process of its own is killed under traffic; nobody may be able to tell.

import { setMaxListeners } from 'node:events'
import { expect, it } from 'vitest'
import { runChaos } from '../../lab/chaos/run.ts'
import { haveMosquitto } from '../support/broker.ts'
import { program } from '../support/program.ts'
import { hasSocat } from '../support/ptys.ts'

/** four kills, a stop, and a restart of the broker */
const SEED = 35

it.skipIf(!haveMosquitto)(
  'survives SIGKILL and restarts of the broker: nothing acknowledged is lost, QoS 2 arrives once, topic ids keep their meaning, ' +
    'sleepers are left alone, wills come from the dead only, and what the broker hangs up at disturbs nobody else',
  { timeout: 120_000 },
  async () => {
    const never = new AbortController()
    setMaxListeners(0, never.signal)
    const told: string[] = []
    const outcome = await runChaos({
      rounds: 3,
      seed: SEED,
      protocol: '5',
      store: 'lmdb',
      poison: 0.8, // the second round
      dtls: 0,
      lines: 0,
      shared: 0,
      nodes: 1,
      keep: false,
      entry: program,
      say: (line) => told.push(line),
      signal: never.signal,
    })
    expect(outcome.faults, told.join('\n')).toEqual([])
    expect(outcome).toMatchObject({ rounds: 3, lost: 0, duplicated: 0 })
    expect(outcome.kills).toBeGreaterThan(2)
    expect(outcome.poisonedRounds).toBeGreaterThan(0)
    expect(outcome.brokerRestarts).toBeGreaterThan(0)
    expect(outcome.acknowledged).toBeGreaterThan(100)
  },
)

it.skipIf(!haveMosquitto || !hasSocat)(
  'survives all that and lines that are unplugged meanwhile: nothing acknowledged is lost, QoS 2 arrives once (socat) [LINK-ST-2, LINK-ST-3]',
  { timeout: 120_000 },
  async () => {
    const never = new AbortController()
    setMaxListeners(0, never.signal)
    const told: string[] = []
    const outcome = await runChaos({
      ...{ rounds: 3, seed: 5, protocol: '5', store: 'lmdb', poison: 0, dtls: 0.2, lines: 0.6, keep: false },
      shared: 0,
      nodes: 1,
      entry: program,
      say: (line) => told.push(line),
      signal: never.signal,
    })
    expect(outcome.faults, told.join('\n')).toEqual([])
    expect(outcome).toMatchObject({ rounds: 3, lost: 0, duplicated: 0 })
    expect(outcome.kills).toBeGreaterThan(0)
    expect(outcome.unplugged).toBeGreaterThan(3)
    expect(outcome.acknowledged).toBeGreaterThan(50)
  },
)
