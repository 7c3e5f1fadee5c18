// Connections to a database server whose own settings, and whose trouble, must not become that of the gateway.

import { createServer } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { EngineClock } from '../../../src/store/postgres/engine/clock.ts'
import { connectEngine } from '../../../src/store/postgres/engine/connection.ts'
import { EngineWriter } from '../../../src/store/postgres/writer.ts'
import { listen } from '../../support/broker.ts'
import { hasPostgres, POSTGRES_START, startPostgres } from '../../support/postgres.ts'
import { engineOf } from './place.ts'

it.skipIf(!hasPostgres)(
  'waits for the locks of others and reads again, whatever level of isolation the server has for others',
  async () => {
    const engine = await startPostgres()
    await engine.primary.sql("ALTER SYSTEM SET default_transaction_isolation = 'serializable'")
    await engine.primary.sql('SELECT pg_reload_conf()')
    const open = () => connectEngine({ ...engineOf(engine.url), application: 'test' })
    const [one, other] = [await open(), await open()]
    onTestFinished(async () => void (await Promise.all([one.close(), other.close()])))
    await one.query({ text: 'CREATE TABLE t (n int)' })
    await one.query({ text: 'INSERT INTO t VALUES (1)' })
    await one.query({ text: 'BEGIN' })
    await one.query({ text: 'UPDATE t SET n = 2' })
    const waits = other.query({ text: 'UPDATE t SET n = n + 1 RETURNING n' })
    await one.query({ text: 'COMMIT' })
    expect(await waits).toEqual([['3']]) // and no "could not serialize access"
  },
  POSTGRES_START,
)

it.skipIf(!hasPostgres)(
  'is opened again where the server knows nothing any more of a statement that it was told',
  async () => {
    const engine = await startPostgres()
    const connection = await connectEngine({ ...engineOf(engine.url), application: 'test' })
    onTestFinished(() => connection.close())
    const named = { name: 'one', text: 'SELECT 1' }
    expect(await connection.query(named)).toEqual([['1']])
    await connection.query({ text: 'DEALLOCATE ALL' })
    await expect(connection.query(named)).rejects.toMatchObject({ code: '26000', isLost: true })
    expect(connection.isLost).toBe(true)
  },
  POSTGRES_START,
)

it('calls a server that is away a few times a second at most, however often it is asked for something', async () => {
  let calls = 0
  const server = createServer((socket) => {
    calls += 1
    socket.destroy()
  })
  const port = await listen(server)
  onTestFinished(() => void server.close())
  const writer = new EngineWriter({
    engine: { ...engineOf(`postgres://u:p@127.0.0.1:${port}/d`), application: 'test' },
    lane: { node: 'n', incarnation: 1, lane: 0 },
    clock: new EngineClock(),
    replicatedBelow: false,
  })
  onTestFinished(() => writer.close())
  const end = performance.now() + 1000
  let asked = 0
  for (; performance.now() < end; asked += 1) {
    await expect(writer.query({ text: 'SELECT 1' })).rejects.toThrow(`127.0.0.1:${port}`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  expect(asked).toBeGreaterThan(50)
  expect(calls).toBeLessThanOrEqual(6)
})
