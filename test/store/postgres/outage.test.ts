// A store on PostgreSQL while its server is away, stands still, or another one takes its place.

import { describe, expect, it, onTestFinished } from 'vitest'
import type { PostgresEngine } from '../../../lab/postgres/engine.ts'
import { freePort } from '../../../lab/processes.ts'
import { TcpProxy } from '../../../lab/tcp-proxy.ts'
import type { PostgresOptions } from '../../../src/store/postgres/options.ts'
import { openPostgresStore } from '../../../src/store/postgres/postgres.ts'
import type { Store } from '../../../src/store/store.ts'
import { aWhile, until } from '../../support/gateway.ts'
import { hasPostgres, POSTGRES_START, startPostgres } from '../../support/postgres.ts'
import { durable } from '../contract.ts'
import { loaded, messageOf, richSession, sessionOf, uplinkIn, uplinkOf } from '../sessions.ts'
import { engineOf } from './place.ts'

const PATIENCE = 30_000

describe.skipIf(!hasPostgres)('a store on PostgreSQL', () => {
  async function open(engine: PostgresEngine, more: Partial<PostgresOptions> = {}): Promise<Store> {
    const quick = { ...engineOf(engine.url), connectTimeout: 1000, timeout: 1000 }
    const store = await openPostgresStore({ engine: quick, retryAfter: 50, lookAfter: 50, ...more })
    onTestFinished(() => store.close())
    return store
  }

  const settled = (store: Store) =>
    until(() => store.durable === store.written && !store.health.error, PATIENCE)

  const idsIn = async (store: Store) =>
    (await loaded(store)).flatMap(({ messages }) => messages.map(({ id }) => id))

  it(
    'says that its server is away, and writes everything when it is back: nothing that was acknowledged is missing',
    async () => {
      const engine = await startPostgres()
      const lines: string[] = []
      const log = { error: (line: string) => lines.push(line), info: (line: string) => lines.push(line) }
      const store = await open(engine, { log })
      store.save(sessionOf('s'))
      store.keepMessage('s', messageOf(1))
      expect(await durable(store)).toBeUndefined()
      await engine.primary.kill()
      await until(() => store.health.error !== undefined) // also if nothing is written
      store.keepMessage('s', messageOf(2))
      expect(await durable(store)).toBeInstanceOf(Error)
      await until(() => store.isFailing, PATIENCE)
      expect(store.health.engine).toMatchObject({ up: false })
      expect(store.health.error).toMatch(/the database server 127\.0\.0\.1:\d+/)
      store.keepMessage('s', messageOf(3))
      store.dropMessage('s', 1)
      await engine.primary.start()
      await settled(store)
      expect(store.isFailing).toBe(false)
      expect(store.health.engine).toMatchObject({ up: true })
      expect(lines.length).toBeGreaterThan(1)
      expect(lines.at(-1)).toBe('what could not be stored is stored now')
      expect(await idsIn(await open(engine))).toEqual([2, 3])
    },
    POSTGRES_START,
  )

  it(
    'leaves nothing of a session that was forgotten while its group waited for the server',
    async () => {
      const engine = await startPostgres()
      const way = await TcpProxy.open(await freePort(), engine.primary.port)
      onTestFinished(() => way.close())
      const patient = {
        ...engineOf(engine.urlThrough([way.port])),
        connectTimeout: PATIENCE,
        timeout: PATIENCE,
      }
      const store = await open(engine, { engine: patient })
      await way.set('refused')
      await until(() => store.health.error !== undefined)
      await way.set('silent')
      store.save(richSession('s'))
      await aWhile(1500) // it has begun to connect anew, and the group waits for that
      store.forget('s')
      await way.set('open')
      await settled(store)
      expect(await engine.primary.sql('SELECT key FROM mqttsn_record')).toBe('')
    },
    POSTGRES_START,
  )

  it(
    'goes on with the standby that takes over, with all that was acknowledged before',
    async () => {
      const engine = await startPostgres({ standby: true })
      const store = await open(engine)
      expect(store.health.engine).toMatchObject({ up: true, replicated: true, warnings: [] })
      store.save(sessionOf('s'))
      const acknowledged: number[] = []
      for (let id = 1; id <= 200; id++) {
        store.keepMessage('s', messageOf(id))
        store.onDurable((error) => error ?? acknowledged.push(id))
        if (id % 10 === 0) await durable(store)
      }
      await engine.primary.kill()
      const before = acknowledged.length
      store.keepMessage('s', messageOf(201))
      await engine.promote()
      await settled(store)
      expect(before).toBe(200)
      expect(await idsIn(await open(engine))).toEqual(Array.from({ length: 201 }, (_, i) => i + 1))
    },
    POSTGRES_START,
  )

  it(
    'acknowledges nothing that its standby does not have',
    async () => {
      const engine = await startPostgres({ standby: true })
      const store = await open(engine)
      store.save(sessionOf('s'))
      await durable(store)
      engine.standby?.freeze()
      store.keepMessage('s', messageOf(1))
      expect(await durable(store)).toBeInstanceOf(Error)
      // whoever makes the server stop waiting has not made it safe
      await engine.primary.sql(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'",
      )
      await until(() => store.isFailing, PATIENCE)
      expect(store.durable).toBeLessThan(store.written)
      engine.standby?.thaw()
      await settled(store)
      expect(await idsIn(await open(engine))).toEqual([1])
    },
    POSTGRES_START,
  )

  it(
    'is failing while its server stands still, as with a full disk, and comes to itself when that goes on',
    async () => {
      const engine = await startPostgres()
      const store = await open(engine)
      store.save(sessionOf('s'))
      await durable(store)
      engine.primary.freeze()
      store.keepMessage('s', messageOf(1))
      expect(String(await durable(store))).toMatch(/has not answered for/)
      await until(() => store.isFailing, PATIENCE)
      engine.primary.thaw()
      await settled(store)
      expect(await idsIn(await open(engine))).toEqual([1])
    },
    POSTGRES_START,
  )

  it(
    'closes within moments while its server stands still, and says what is lost',
    async () => {
      const engine = await startPostgres()
      const lines: string[] = []
      const log = { error: (line: string) => lines.push(line), info: () => {} }
      const store = await open(engine, { log })
      engine.primary.freeze()
      store.save(sessionOf('s'))
      const began = performance.now()
      await store.close()
      expect(performance.now() - began).toBeLessThan(15_000)
      expect(lines.at(-1)).toMatch(/^closed with changes that are not stored/)
      engine.primary.thaw()
    },
    POSTGRES_START,
  )

  it(
    'reads publishes that wait in the database when they are asked for, those behind them with them, as they are now',
    async () => {
      const engine = await startPostgres()
      const first = await open(engine)
      first.save(sessionOf('s'))
      for (let token = 1; token <= 200; token++) first.keepUplink('s', uplinkOf(token))
      await durable(first)
      await first.close()
      const store = await open(engine)
      await loaded(store)
      expect(store.readUplink('s', 1)).toBe('soon')
      expect(await uplinkIn(store, 's', 1)).toMatchObject({ token: 1 })
      for (let token = 2; token <= 60; token++)
        expect(store.readUplink('s', token), `${token}`).toMatchObject({ token })
      // what was fetched is forgotten when it is written
      store.keepUplink('s', uplinkOf(61, { topic: 'changed' }))
      await durable(store)
      expect(await uplinkIn(store, 's', 61)).toMatchObject({ topic: 'changed' })
      store.dropUplink('s', 62)
      expect(store.readUplink('s', 62)).toBe('gone')
      await durable(store)
      expect(store.readUplink('s', 62)).toBe('gone')
      await engine.primary.sql("UPDATE mqttsn_record SET value = 'x' WHERE key = -199")
      await engine.primary.sql('DELETE FROM mqttsn_record WHERE key = -150')
      expect(await uplinkIn(store, 's', 150)).toBe('gone')
      expect(await uplinkIn(store, 's', 199)).toBe('gone')
      await engine.primary.kill()
      await until(() => store.health.error !== undefined)
      expect(await uplinkIn(store, 's', 130)).toMatch(/later|soon/)
    },
    POSTGRES_START,
  )

  it(
    'says what its server’s settings make of an acknowledgement',
    async () => {
      const warnings: string[] = []
      const log = { error: () => {}, info: () => {}, warn: (line: string) => warnings.push(line) }
      const alone = await startPostgres({ settings: { fsync: 'off', synchronous_commit: 'off' } })
      const store = await open(alone, { log })
      expect(store.health.engine).toMatchObject({ up: true, replicated: false })
      expect(warnings).toEqual([
        expect.stringMatching(/fsync is off/),
        expect.stringMatching(/no synchronous standby.*store\.replicated/s),
      ])
      const trusting = await open(await startPostgres(), { replicated: true })
      expect(trusting.health.engine).toMatchObject({ replicated: true, warnings: [] })
    },
    POSTGRES_START * 2,
  )
})
