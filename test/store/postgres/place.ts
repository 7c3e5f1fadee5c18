// Stores on one PostgreSQL server for the tests of a file, each in tables of its own.

import type { PostgresEngine } from '../../../lab/postgres/engine.ts'
import { readEngineUrl } from '../../../src/store/postgres/engine/url.ts'
import type { PostgresOptions } from '../../../src/store/postgres/options.ts'
import { openPostgresStore } from '../../../src/store/postgres/postgres.ts'
import type { Store } from '../../../src/store/store.ts'

/** What a store is opened with that is on the server of this url. */
export function engineOf(url: string): PostgresOptions['engine'] {
  const read = readEngineUrl(url)
  if ('expected' in read) throw new Error(read.expected)
  return read
}

/** Opens the store of the server. */
export const openOn = (
  engine: PostgresEngine,
  more: Omit<Partial<PostgresOptions>, 'engine'> = {},
): Promise<Store> => openPostgresStore({ engine: engineOf(engine.url), ...more })

/** Deletes all tables. */
export async function emptyStore(engine: PostgresEngine): Promise<void> {
  const tables = ['about', 'member', 'lane', 'slot', 'record', 'aside'].map((name) => `mqttsn_${name}`)
  await engine.primary.sql(`DROP TABLE IF EXISTS ${tables.join(', ')}; DROP SEQUENCE IF EXISTS mqttsn_token`)
}
