// The servers of PostgreSQL that tests and tools start: what they must be able to suffer, and that nothing is left of them.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it, onTestFinished } from 'vitest'
import { PostgresEngine } from '../../lab/postgres/engine.ts'
import { runPostgresProgram } from '../../lab/postgres/installation.ts'
import { processesIn } from '../../lab/postgres/keeper.ts'
import { until } from '../support/gateway.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'

const TIMEOUT = 120_000
/** Milliseconds after which what waits is taken to wait. */
const MOMENT = 300

describe.skipIf(!hasPostgres)('PostgreSQL for tests and tools', { timeout: TIMEOUT }, () => {
  it('names all servers to a gateway, and lets its user make tables, with its password only', async () => {
    const { url, primary, standby } = await startPostgres({ standby: true })
    expect(url).toBe(`postgres://mqttsn:secret@127.0.0.1:${primary.port},127.0.0.1:${standby?.port}/mqttsn`)
    expect(await primary.sql("SELECT has_schema_privilege('mqttsn', 'public', 'CREATE')")).toBe('t')
    expect(
      await primary.sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'mqttsn'"),
    ).toBe('mqttsn')
    expect(await primary.sql('SHOW fsync')).toBe('on')
    const methods = "SELECT auth_method FROM pg_hba_file_rules WHERE 'mqttsn' = ANY (user_name)"
    expect(await primary.sql(methods)).toBe('scram-sha-256')
  })

  it('keeps what was acknowledged when the primary is killed and started again', async () => {
    const { primary } = await startPostgres()
    await primary.sql('CREATE TABLE kept (id int)')
    await primary.sql('INSERT INTO kept VALUES (1)')
    const { pid } = primary
    await primary.kill()
    expect(primary.running).toBe(false)
    await expect(primary.sql('SELECT 1')).rejects.toThrow()
    await primary.start()
    expect(primary.pid).not.toBe(pid)
    expect(await primary.sql('SELECT id FROM kept')).toBe('1')
    expect(primary.log).toContain('was not properly shut down')
  })

  it('keeps what was acknowledged when the standby takes over, and again when the old primary has come back', async () => {
    const engine = await startPostgres({ standby: true })
    const { primary: one, standby: two, url } = engine
    await one.sql('CREATE TABLE kept (id int)')
    await one.sql('INSERT INTO kept VALUES (1)')
    await one.kill()
    await engine.promote()
    expect([engine.primary, engine.standby]).toEqual([two, undefined])
    await two?.sql('INSERT INTO kept VALUES (2)')
    await engine.rejoin()
    expect([engine.primary, engine.standby, engine.url]).toEqual([two, one, url])
    await two?.sql('INSERT INTO kept VALUES (3)')
    await two?.kill()
    await engine.promote()
    expect(await one.sql('SELECT id FROM kept ORDER BY id')).toBe('1\n2\n3')
  })

  it('acknowledges nothing that the standby has not got', async () => {
    const { primary, standby } = await startPostgres({ standby: true })
    await primary.sql('CREATE TABLE kept (id int)')
    standby?.freezeReceiver()
    let isAcknowledged = false
    const insertion = primary.sql('INSERT INTO kept VALUES (1)').then(() => {
      isAcknowledged = true
    })
    await expect.poll(() => primary.sql(WAITING), { timeout: TIMEOUT }).toBe('1')
    expect(isAcknowledged).toBe(false)
    standby?.thaw()
    await insertion
    expect(await standby?.sql('SELECT pg_is_in_recovery()')).toBe('t')
  })

  it('answers nobody while it is frozen, and then goes on', async () => {
    const { primary } = await startPostgres()
    primary.freeze()
    const answer = primary.sql('SELECT 1')
    const early = await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, MOMENT, 'none'))])
    expect(early).toBe('none')
    primary.thaw()
    expect(await answer).toBe('1')
  })

  it('cuts the connections of gateways', async () => {
    const engine = await startPostgres()
    const { primary } = engine
    const query = runPostgresProgram('psql', ['-X', '-d', primary.url(), '-c', 'SELECT pg_sleep(100)'])
    const cut = expect(query).rejects.toThrow(/terminating connection/)
    await expect.poll(() => primary.sql(CONNECTED), { timeout: TIMEOUT }).toBe('1')
    await engine.cutConnections()
    await cut
    expect(await primary.sql(CONNECTED)).toBe('0')
  })

  it('can be started several times at once, each with data of its own', async () => {
    const engines = await Promise.all([startPostgres(), startPostgres(), startPostgres()])
    expect(new Set(engines.map(({ primary }) => primary.port)).size).toBe(3)
    await engines[0]?.primary.sql('CREATE TABLE mine (id int)')
    await expect(engines[1]?.primary.sql('SELECT * FROM mine')).rejects.toThrow(/does not exist/)
  })

  it('leaves neither process nor file behind when it is closed', async () => {
    const engine = await PostgresEngine.open({ standby: true })
    const folder = dirname(engine.primary.data)
    expect(processesIn(folder).length).toBeGreaterThan(5)
    await engine.primary.kill()
    engine.standby?.freeze()
    await engine.close()
    expect(processesIn(folder)).toEqual([])
    expect(existsSync(folder)).toBe(false)
  })

  it('leaves neither process nor file behind when the process that started it is killed, not even frozen ones', async () => {
    const script = `
      import { PostgresEngine } from './lab/postgres/engine.ts'
      const engine = await PostgresEngine.open({ standby: true })
      engine.primary.freeze()
      console.log(engine.primary.data)
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    const folder = dirname(await firstLine(child))
    expect(processesIn(folder).length).toBeGreaterThan(5)
    child.kill('SIGKILL')
    await until(() => processesIn(folder).length === 0 && !existsSync(folder), TIMEOUT)
  })
})

const WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
const CONNECTED = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'mqttsn'"

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('its output is not ours')
  for await (const line of createInterface(stdout)) return line
  throw new Error('it ended without a word')
}
