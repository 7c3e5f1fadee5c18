// What happens to the database in a round, where the gateway's store is one: it dies and comes back, its standby takes over, it stands
// still, or it cuts all connections.

import { pause } from '../../src/sensor/pause.ts'
import type { PostgresEngine } from '../postgres/engine.ts'
import { between, pick, seeded } from './random.ts'

/** Of rounds that have such a trouble. */
const SHARE = 0.75
/** Milliseconds that it lasts: below what a sensor has patience for. */
const [SHORTEST, LONGEST] = [0, 2500]

/**
 * restart: the primary is killed, and started again. failover: it is killed, and the standby promoted; then the old one comes back as
 * the standby. freeze: the primary stands still, its connections stay. standby: the same of the standby, so that nothing can be
 * acknowledged. cut: all connections are cut, now and once more.
 */
const KINDS = ['restart', 'failover', 'freeze', 'standby', 'cut'] as const

/** One trouble; `wait`: milliseconds since the round began, `lasts`: until the database serves again. */
export interface EngineTrouble {
  readonly kind: (typeof KINDS)[number]
  readonly wait: number
  readonly lasts: number
}

/** How often each was. */
export type EngineTally = Partial<Record<EngineTrouble['kind'], number>>

/** The trouble of one round with so many milliseconds of traffic, if any: always the same for the same seed. */
export function planEngineTrouble(seed: number, round: number, traffic: number): EngineTrouble | undefined {
  const random = seeded(seed, round, 'engine')
  if (random() >= SHARE) return undefined
  const kind = pick(random, KINDS)
  return { kind, wait: between(random, 0, traffic), lasts: between(random, SHORTEST, LONGEST) }
}

/** Makes it, and resolves when the database is as it was, with a standby that follows. Rejects if it does not come back. */
export async function troubleEngine(
  { kind, wait, lasts }: EngineTrouble,
  engine: PostgresEngine,
  tally: EngineTally,
  signal: AbortSignal,
): Promise<void> {
  await pause(wait, signal)
  if (signal.aborted) return
  tally[kind] = (tally[kind] ?? 0) + 1
  const { primary, standby } = engine
  switch (kind) {
    case 'restart':
      await primary.kill()
      await pause(lasts, signal)
      return primary.start()
    case 'failover':
      await primary.kill()
      await pause(lasts, signal)
      await engine.promote()
      await pause(lasts, signal)
      return engine.rejoin()
    case 'freeze':
    case 'standby': {
      const victim = kind === 'freeze' ? primary : standby
      victim?.freeze()
      await pause(lasts, signal)
      return victim?.thaw()
    }
    case 'cut':
      await engine.cutConnections()
      await pause(lasts, signal)
      return engine.cutConnections()
  }
}
