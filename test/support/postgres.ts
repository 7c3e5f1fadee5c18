// PostgreSQL for a test, which goes with it; tests share the servers with the tools for developers.

import { onTestFinished } from 'vitest'
import { PostgresEngine, type PostgresEngineOptions } from '../../lab/postgres/engine.ts'

export { hasPostgres } from '../../lab/postgres/installation.ts'

/** Milliseconds that a hook or a test may take which starts servers, on a machine that is busy with other things. */
export const POSTGRES_START = 60_000

/** A primary and, if wanted, a synchronous standby; ended with the test. */
export async function startPostgres(options: PostgresEngineOptions = {}): Promise<PostgresEngine> {
  const engine = await PostgresEngine.open(options)
  onTestFinished(() => engine.close())
  return engine
}
