// The demo with its sessions in a database.

import { expect, it } from 'vitest'
import { hasPostgres, POSTGRES_START, startPostgres } from '../support/postgres.ts'
import { run } from './compiled.ts'

const demo = (url: string) =>
  run(['demo', '--port', '0', '--console', '127.0.0.1:0', '--duration', '5s', '--store', url])

it.skipIf(!hasPostgres)(
  'mqttsn demo --store keeps the sessions in PostgreSQL, and does not show the password',
  { timeout: 2 * POSTGRES_START },
  async () => {
    const { url, primary } = await startPostgres()
    const { stdout } = await demo(url)
    expect(stdout).toContain(`sessions are kept in postgres://127.0.0.1:${primary.port}/mqttsn`)
    expect(stdout).not.toContain('secret')
    expect(Number(await primary.sql('SELECT count(*) FROM mqttsn_record'))).toBeGreaterThan(0)
  },
)

it('mqttsn demo --store says what is wrong with the database, and does not blame ports', async () => {
  expect(await demo('postgres://127.0.0.1:1/mqttsn')).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(
      /^the demo cannot start: store\.url: .*127\.0\.0\.1:1: connection refused\n$/,
    ),
  })
})
