// What keeps a store on PostgreSQL from being opened, in words that name the key to change.

import { createServer } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { PostgresEngine } from '../../../lab/postgres/engine.ts'
import { openPostgresStore } from '../../../src/store/postgres/postgres.ts'
import { StoreError } from '../../../src/store/store.ts'
import { hasPostgres, POSTGRES_START } from '../../support/postgres.ts'
import { durable } from '../contract.ts'
import { loaded, messageOf, richSession, sessionOf } from '../sessions.ts'
import { emptyStore, engineOf, openOn } from './place.ts'

describe.skipIf(!hasPostgres)('a store on PostgreSQL', () => {
  let engine: PostgresEngine

  beforeAll(async () => {
    engine = await PostgresEngine.open({ standby: true })
  }, POSTGRES_START)

  afterAll(() => engine.close())

  beforeEach(() => emptyStore(engine))

  /** Why it cannot be opened. */
  async function refusal(url: string, more = {}): Promise<string> {
    const error = await openPostgresStore({ engine: { ...engineOf(url), ...more } }).then(
      (store) => store.close().then(() => new Error('it could be opened')),
      (failure: unknown) => failure,
    )
    expect(error).toBeInstanceOf(StoreError)
    return error instanceof Error ? error.message : ''
  }

  const at = (user: string, rest = '') => `postgres://${user}@127.0.0.1:${engine.primary.port}/mqttsn${rest}`
  const ownUrl = () => engine.primary.url()

  it('says that user and password are not accepted, and does not quote them', async () => {
    const { username = '' } = engineOf(ownUrl())
    const message = await refusal(at(`${username}:wrong-secret`))
    expect(message).toMatch(/^store\.url: .*does not accept user and password: see store\.url/)
    expect(message).not.toContain('wrong-secret')
  })

  it('says that there is no such database', async () => {
    expect(await refusal(ownUrl().replace(/\/[^/]*$/, '/nowhere'))).toMatch(/no such database/)
  })

  it('says that there is no such host, that nobody listens there, or nobody answers', async () => {
    expect(await refusal('postgres://u@host.invalid/d')).toMatch(
      /host\.invalid:5432: (there is no host of this name|its name cannot be looked up)/,
    )
    expect(await refusal('postgres://u@127.0.0.1:9/d')).toMatch(/127\.0\.0\.1:9: connection refused/)
    const silent = createServer(() => {})
    onTestFinished(() => void silent.close())
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    expect(await refusal(`postgres://u@127.0.0.1:${port}/d`, { connectTimeout: 300 })).toMatch(
      /has not answered for 0\.3 s/,
    )
  })

  it('says of all hosts why none of them will do', async () => {
    const { port = 0 } = engine.standby ?? {}
    const message = await refusal(ownUrl().replace(/127\.0\.0\.1:\d+/, `127.0.0.1:9,127.0.0.1:${port}`))
    expect(message).toMatch(/127\.0\.0\.1:9: connection refused; .*it takes no writes: it is a standby/)
  })

  it('passes over hosts that are away, and standbys', async () => {
    const { port = 0 } = engine.standby ?? {}
    const url = ownUrl().replace(/127\.0\.0\.1:(\d+)/, `127.0.0.1:9,127.0.0.1:${port},127.0.0.1:$1`)
    const store = await openPostgresStore({ engine: engineOf(url) })
    expect(store.health.engine?.host).toBe(`127.0.0.1:${engine.primary.port}`)
    await store.close()
  })

  it('says that a server has no TLS, where TLS is wanted', async () => {
    expect(await refusal(`${ownUrl()}?sslmode=require`)).toMatch(/does not support SSL/)
    expect(await refusal(`${ownUrl()}?sslmode=verify-full&sslrootcert=/nowhere.pem`)).toMatch(
      /store\.url: the file of sslrootcert cannot be read \(ENOENT\)/,
    )
  })

  it('says what it needs to make its tables', async () => {
    const { username = '' } = engineOf(ownUrl())
    onTestFinished(async () => void (await engine.primary.sql(`ALTER ROLE ${username} RESET search_path`)))
    await engine.primary.sql(`CREATE SCHEMA locked; GRANT USAGE ON SCHEMA locked TO ${username}`)
    await engine.primary.sql(`ALTER ROLE ${username} SET search_path TO locked`)
    expect(await refusal(ownUrl())).toMatch(/permission denied for schema.*GRANT CREATE ON SCHEMA public TO/)
  })

  it('is left alone if it is of another program, or of a newer version', async () => {
    await (await openOn(engine)).close()
    await engine.primary.sql('UPDATE mqttsn_about SET format = 999')
    expect(await refusal(ownUrl())).toMatch(
      /newer version of this gateway \(format 999, this version reads 1\)/,
    )
    await engine.primary.sql("UPDATE mqttsn_about SET format = 1, program = 'another'")
    expect(await refusal(ownUrl())).toMatch(/belong to another program/)
    expect(await engine.primary.sql('SELECT count(*) FROM mqttsn_member')).toBe('1')
  })

  it.each([
    [
      'a flipped bit',
      'UPDATE mqttsn_record SET value = set_byte(value, 20, get_byte(value, 20) # 1) WHERE key = 0',
    ],
    ['a value of something else', "UPDATE mqttsn_record SET value = 'x' WHERE key = 0"],
    [
      'the value of another key',
      'UPDATE mqttsn_record a SET value = b.value FROM mqttsn_record b WHERE a.key = 0 AND b.key = 1',
    ],
    ['no progress', 'DELETE FROM mqttsn_record WHERE key = -9223372036854775808'],
    ['an unknown key', "INSERT INTO mqttsn_record VALUES (0, 1, -9223372036854775000, 'x')"],
  ])('says which session cannot be read: %s', async (_, damage) => {
    const store = await openOn(engine)
    store.save(richSession('s'))
    store.keepMessage('s', messageOf(1))
    await durable(store)
    await store.close()
    await engine.primary.sql(damage)
    const again = await openOn(engine)
    onTestFinished(() => again.close())
    const reading = loaded(again)
    await expect(reading).rejects.toThrow(StoreError)
    await expect(reading).rejects.toThrow(/session 1 of slot 0 in the database of store\.url cannot be read/)
  })

  it('says how many sessions nobody finds since names at the broker have changed, which decide their slots', async () => {
    const first = await openOn(engine, { slotOf: () => 7 })
    for (const name of ['a', 'b']) first.save(sessionOf(name))
    await durable(first)
    await first.close()
    const warned: string[] = []
    const log = { error() {}, info() {}, warn: (line: string) => void warned.push(line) }
    const second = await openOn(engine, { slotOf: (name) => (name === 'a' ? 7 : 8), log })
    onTestFinished(() => second.close())
    await loaded(second) // whoever has all slots finds all
    const ofNames = () => warned.filter((line) => line.includes('sensors[].clientId'))
    expect(ofNames()).toEqual([])
    await loaded(second, new Set([7]))
    expect(ofNames()).toEqual([expect.stringMatching(/^1 sessions are stored for other names/)])
  })

  it('keeps what tells this installation from others', async () => {
    const first = await openOn(engine)
    expect(first.installation).toMatch(/^[0-9a-f]{8}$/)
    await first.close()
    const second = await openOn(engine)
    expect(second.installation).toBe(first.installation)
    await second.close()
  })

  it('keeps records beside sessions, and says which of them cannot be read', async () => {
    const first = await openOn(engine)
    first.keepAside('ünïcode ✓', () => ({ octets: Uint8Array.of(1, 2), number: 7 }))
    first.keepAside('gone', () => ({ a: 1 }))
    await durable(first)
    first.keepAside('gone', () => undefined)
    first.keepAside('lazy', () => ({ a: 2 }), true)
    await first.close()
    const second = await openOn(engine)
    expect([...second.asides.keys()]).toEqual(['lazy', 'ünïcode ✓'])
    expect(second.asides.get('ünïcode ✓')).toMatchObject({ number: 7 })
    await second.close()
    await engine.primary.sql("UPDATE mqttsn_aside SET value = 'x' WHERE name = 'lazy'")
    expect(await refusal(ownUrl())).toMatch(/the record "lazy" beside sessions/)
  })

  it('has records beside sessions that belong to slots: they are read with these, page by page, and by nobody else', async () => {
    const first = await openOn(engine)
    const names = Array.from({ length: 700 }, (_, i) => `dtls ${i} field`)
    for (const [i, name] of names.entries())
      first.keepAside(first.nameInSlot(i % 2 ? 17 : 1, name), () => ({ i }))
    first.keepAside(first.nameInSlot(170, 'dtls 1 a b'), () => ({ i: 'other' }))
    first.keepAside('dtls numbers field', () => ({ next: 1 }))
    await durable(first)
    first.keepAside(first.nameInSlot(170, 'dtls 1 a b'), () => ({ i: 'last' }))
    await first.release(new Set([170])) // and is to be read by others from then on
    const second = await openOn(engine)
    expect([...second.asides.keys()]).toEqual(['dtls numbers field'])
    expect(await second.loadAsides(new Set([170, 3]))).toEqual([[170, 'dtls 1 a b', { i: 'last' }]])
    const found = await second.loadAsides(new Set([1, 17]))
    expect(found).toHaveLength(700)
    for (const [slot, name, record] of found) {
      const i = names.indexOf(name)
      expect([slot, record]).toEqual([i % 2 ? 17 : 1, { i }])
    }
    await Promise.all([first.close(), second.close()])
  })
})
