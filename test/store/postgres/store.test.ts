// The contract of the stores, for PostgreSQL.

import { afterAll, beforeAll, describe } from 'vitest'
import { PostgresEngine } from '../../../lab/postgres/engine.ts'
import { hasPostgres, POSTGRES_START } from '../../support/postgres.ts'
import { storeContract } from '../contract.ts'
import { emptyStore, openOn } from './place.ts'

describe.skipIf(!hasPostgres)('on a database server', () => {
  let engine: PostgresEngine

  beforeAll(async () => {
    engine = await PostgresEngine.open()
  }, POSTGRES_START)

  afterAll(() => engine.close())

  storeContract('PostgreSQL', () => ({
    open: (slotOf) => openOn(engine, { slotOf }),
    remove: () => emptyStore(engine),
  }))
})
