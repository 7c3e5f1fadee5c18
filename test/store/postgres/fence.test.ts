// Who may write to a store on PostgreSQL: one at a time, whatever hangs, comes late or is lost on the way.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { PostgresEngine } from '../../../lab/postgres/engine.ts'
import { everything } from '../../../src/store/part.ts'
import { connectEngine } from '../../../src/store/postgres/engine/connection.ts'
import { openLanes, takeEverything, takeToken } from '../../../src/store/postgres/lanes.ts'
import { takePostgresStore } from '../../../src/store/postgres/postgres.ts'
import { Deposed, type Store } from '../../../src/store/store.ts'
import { aWhile, until } from '../../support/gateway.ts'
import { hasPostgres, POSTGRES_START } from '../../support/postgres.ts'
import { durable } from '../contract.ts'
import { loaded, messageOf, sessionOf } from '../sessions.ts'
import { emptyStore, engineOf, openOn } from './place.ts'

describe.skipIf(!hasPostgres)('a store on PostgreSQL', () => {
  let engine: PostgresEngine
  let stores: Store[] = []

  beforeAll(async () => {
    engine = await PostgresEngine.open()
  }, POSTGRES_START)

  afterAll(() => engine.close())

  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()))
    stores = []
    await emptyStore(engine)
  })

  const open: typeof openOn = async (...args) => {
    const store = await openOn(...args)
    stores.push(store)
    return store
  }

  const connect = () => connectEngine({ ...engineOf(engine.url), application: 'test' })

  const messageIds = async (): Promise<string> =>
    engine.primary.sql('SELECT key FROM mqttsn_record WHERE key BETWEEN 1 AND 9007199254740992 ORDER BY key')

  /** Resolves when so many statements wait for a lock in the server. */
  async function lockWaits(count: number): Promise<void> {
    const waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    while ((await engine.primary.sql(waiting)) !== String(count)) await aWhile(10)
  }

  it('writes nothing more for a writer whose place another one has taken, and tells it so once', async () => {
    const errors: string[] = []
    const first = await open(engine, { log: { error: (line) => errors.push(line), info: () => {} } })
    first.save(sessionOf('s'))
    await durable(first)
    const told: string[] = []
    first.onDeposed((why) => told.push(why.message))
    const second = await open(engine)
    await loaded(second)
    first.keepMessage('s', messageOf(1))
    expect(await durable(first)).toBeInstanceOf(Deposed)
    second.keepMessage('s', messageOf(2))
    expect(await durable(second)).toBeUndefined()
    first.keepMessage('s', messageOf(3))
    first.save(sessionOf('another'))
    await until(() => told.length > 0)
    expect(first.durable).toBeLessThan(first.written)
    expect(first.isFailing).toBe(true)
    expect(told).toEqual([expect.stringMatching(/another gateway has taken over the sessions/)])
    expect(errors).toEqual(told)
    const late: unknown[] = []
    first.onDeposed((why) => late.push(why))
    await until(() => late.length > 0)
    await first.close()
    expect(await messageIds()).toBe('2')
    expect(await engine.primary.sql('SELECT count(*) FROM mqttsn_record WHERE key = 0')).toBe('1')
  })

  it('tells a writer that writes nothing that it was deposed, when its connection is lost', async () => {
    const first = await open(engine, { lookAfter: 20 })
    const told: string[] = []
    first.onDeposed((why) => told.push(why.message))
    const self = await connect()
    await takeEverything(self, 'other', 1)
    await self.close()
    await engine.cutConnections()
    await until(() => told.length > 0)
    expect(first.isFailing).toBe(true)
  })

  it('lets threads of one process write side by side, and deposes all of them at once', async () => {
    const { incarnation: taken } = await takePostgresStore(engineOf(engine.url), 3)
    const parts = [0, 1, 2].map((index) => ({ index, count: 3, owns: () => true, taken }))
    const writers = await Promise.all(parts.map((part) => open(engine, { part })))
    for (const [index, store] of writers.entries()) store.save(sessionOf(`of ${index}`))
    expect(await Promise.all(writers.map(durable))).toEqual([undefined, undefined, undefined])
    const next = await open(engine)
    expect((await loaded(next)).map(({ record }) => record.lasting.clientId).sort()).toEqual([
      'of 0',
      'of 1',
      'of 2',
    ])
    for (const [index, store] of writers.entries()) store.keepMessage(`of ${index}`, messageOf(1))
    for (const failure of await Promise.all(writers.map(durable))) expect(failure).toBeInstanceOf(Deposed)
    await expect(open(engine, { part: { ...everything, taken } })).rejects.toThrow(Deposed)
  })

  it('gives every connection a token of its own, with which alone it can write', async () => {
    const store = await open(engine, { retryAfter: 20 })
    const tokenNow = () => engine.primary.sql('SELECT token FROM mqttsn_lane')
    const before = await tokenNow()
    await engine.cutConnections()
    store.save(sessionOf('s'))
    await until(() => store.durable === store.written)
    const after = await tokenNow()
    expect(Number(after)).toBeGreaterThan(Number(before))
    expect((await loaded(await open(engine))).length).toBe(1)
  })

  it('goes on when a token that it asked for earlier comes late', async () => {
    const store = await open(engine, { retryAfter: 20 })
    await engine.primary.sql("UPDATE mqttsn_lane SET token = nextval('mqttsn_token')")
    store.save(sessionOf('s'))
    await until(() => store.durable === store.written)
    expect(store.isFailing).toBe(false)
  })

  it('puts no old values over new ones: a statement that hangs is carried out before the next connection writes', async () => {
    const store = await open(engine, { retryAfter: 20 })
    store.save(sessionOf('s'))
    store.keepMessage('s', messageOf(1, { topic: 'first' }))
    await durable(store)
    // somebody has the record's row, so that the group waits in the server, and its connection is lost meanwhile
    const other = await connect()
    await other.query({ text: 'BEGIN' })
    await other.query({ text: 'SELECT 1 FROM mqttsn_record WHERE key = 1 FOR UPDATE' })
    store.keepMessage('s', messageOf(1, { topic: 'old' }))
    await lockWaits(1)
    const [backend] = await other.query({
      text: "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%mqttsn_record%'",
    })
    expect(backend).toHaveLength(1)
    // what it has written is put back, and written again by another connection, with a token that it waits for
    const next = await connect()
    const [lane] = await next.query({ text: 'SELECT node, incarnation FROM mqttsn_lane' })
    const taking = takeToken(next, { node: lane?.[0] ?? '', lane: 0, incarnation: Number(lane?.[1]) })
    await lockWaits(2)
    await other.query({ text: 'COMMIT' })
    const token = await taking
    expect(await engine.primary.sql('SELECT token FROM mqttsn_lane')).toBe(token)
    store.keepMessage('s', messageOf(1, { topic: 'new' }))
    await until(() => store.durable === store.written)
    await Promise.all([other.close(), next.close()])
    const [session] = await loaded(await open(engine))
    expect(session?.messages.map(({ topic }) => topic)).toEqual(['new'])
  })

  it('writes again what was cut off in the middle, until it knows that it is there', async () => {
    const store = await open(engine, { retryAfter: 20 })
    store.save(sessionOf('s'))
    await durable(store)
    let id = 0
    for (let round = 0; round < 5; round++) {
      const cutting = engine.cutConnections()
      for (let i = 0; i < 40; i++) {
        id += 1
        store.keepMessage('s', messageOf(id))
        if (id > 10) store.dropMessage('s', id - 10)
        if (i % 8 === 0) await durable(store)
      }
      await cutting
      await until(() => store.durable === store.written)
    }
    const [session] = await loaded(await open(engine))
    expect(session?.messages.map((message) => message.id)).toEqual(
      Array.from({ length: 10 }, (_, i) => id - 9 + i),
    )
  })

  it('gives lanes to members that are alive only', async () => {
    const { incarnation } = await takePostgresStore(engineOf(engine.url))
    const connection = await connect()
    await openLanes(connection, incarnation, 4)
    await engine.primary.sql("UPDATE mqttsn_member SET expires = '-infinity'")
    await expect(openLanes(connection, incarnation, 4)).rejects.toThrow(Deposed)
    await connection.close()
  })
})
