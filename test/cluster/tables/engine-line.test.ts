// The connection over which a node asks about its membership, to a real database.

import { expect, it, onTestFinished } from 'vitest'
import { EngineLine } from '../../../src/cluster/tables/engine-line.ts'
import { engineOf } from '../../store/postgres/place.ts'
import { hasPostgres, POSTGRES_START, startPostgres } from '../../support/postgres.ts'

it.skipIf(!hasPostgres)(
  'what a slow database server has not answered in time it gives up too, so that questions do not pile up there',
  async () => {
    const server = await startPostgres()
    const line = new EngineLine({ ...engineOf(server.url), application: 'test' }, 700)
    onTestFinished(() => line.close())
    const isBusy = () =>
      server.primary.sql(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'test' AND state = 'active'",
      )
    await expect
      .poll(() => line.ask({ text: 'SELECT 1' }).catch(() => []), { timeout: 20_000 })
      .toEqual([['1']])
    await expect(line.ask({ text: 'SELECT pg_sleep(50)' })).rejects.toThrow(
      /has not (answered|finished in time)/,
    )
    await expect.poll(isBusy, { timeout: 20_000 }).toBe('0')
    await expect
      .poll(() => line.ask({ text: 'SELECT 1' }).catch(() => []), { timeout: 20_000 })
      .toEqual([['1']])
  },
  POSTGRES_START,
)
