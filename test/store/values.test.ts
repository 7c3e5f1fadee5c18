// What lies on the disk: a record per topic, and a checksum per value.

import { readFileSync } from 'node:fs'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { asBinary, open as openLmdb } from 'lmdb'
import { Packr } from 'msgpackr'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { type Store, type StoredSession, StoreError } from '../../src/store/store.ts'
import { openSealed, sealValue } from '../../src/store/values.ts'
import { durable } from './contract.ts'
import { loaded, messageOf, richSession, sessionOf, uplinkOf } from './sessions.ts'

let base: string
let folder: string
let opened: Store | undefined

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'mqttsn-values-'))
  folder = join(base, 'state')
})

afterEach(async () => {
  await close()
  await rm(base, { recursive: true, force: true })
})

async function open(path = folder): Promise<Store> {
  await opened?.close()
  opened = await openLmdbStore({ path })
  return opened
}

async function close(): Promise<void> {
  await opened?.close()
  opened = undefined
}

/** Octets that this process has handed to the system in a group of writes. */
async function written(store: Store): Promise<number> {
  const handed = () => Number(/^write_bytes: ([0-9]+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1])
  const before = handed()
  await durable(store)
  return handed() - before
}

describe('a flipped bit', () => {
  it('in a stored value never loads with other contents: the start says what is wrong', async () => {
    const store = await open()
    store.save(richSession('a'))
    store.keepMessage('a', messageOf(1, { payload: new Uint8Array(40).fill(0x55), qos: 2 }))
    store.keepUplink('a', uplinkOf(1, { qos: 2, sensor: 'answered', data: new Uint8Array(40).fill(0x33) }))
    store.keepUplink('a', uplinkOf(2))
    await close()
    const plain = (sessions: StoredSession[]) =>
      JSON.stringify(sessions, (key, value) =>
        /^(at|heardAt|endedAt|expiresAt)$/.test(key) ? Math.round(value / 5000) : value,
      )
    const whole = plain(await loaded(await open()))
    await close()
    const outcomes = { refused: 0, same: 0 }
    for (let flip = 0; flip < 260; flip++) {
      const lmdb = openLmdb({ path: folder, noSubdir: false })
      const keys = [...lmdb.getKeys()].filter((key) => Array.isArray(key))
      const key = keys[flip % keys.length] ?? ''
      const before = Buffer.from(lmdb.getBinary(key) ?? [])
      const after = Buffer.from(before)
      const bit = (flip * 7919) % (before.length * 8)
      after[bit >> 3] = Number(after[bit >> 3]) ^ (1 << (bit & 7))
      await lmdb.put(key, asBinary(after))
      await lmdb.close()
      const found = await open().then(
        async (again) => plain(await loaded(again)),
        (error: unknown) => error,
      )
      await close()
      if (found instanceof StoreError) {
        expect(found.message).toMatch(/data\.mdb cannot be read/)
        outcomes.refused += 1
      } else {
        expect(found, `bit ${bit} of ${key}`).toBe(whole)
        outcomes.same += 1
      }
      const mend = openLmdb({ path: folder, noSubdir: false })
      await mend.put(key, asBinary(before))
      await mend.close()
    }
    expect(outcomes).toEqual({ refused: 260, same: 0 })
  }, 60_000)

  it('in a value that moved to another key is noticed, too', async () => {
    const store = await open()
    store.save(sessionOf('a'))
    store.keepMessage('a', messageOf(1))
    await close()
    const lmdb = openLmdb({ path: folder, noSubdir: false })
    await lmdb.put([1, 3], asBinary(lmdb.getBinary([1, 1]) ?? Buffer.alloc(0)))
    await lmdb.close()
    await expect(open()).rejects.toThrow('its checksum differs')
  })
})

describe('a sealed value', () => {
  const encoder = new Packr({ useRecords: false })

  it('is opened under its own key alone, as it was written, and not when any of it is missing, added or changed', () => {
    const records = fc.record({ name: fc.string(), octets: fc.uint8Array({ maxLength: 300 }) })
    fc.assert(
      fc.property(
        records,
        fc.string(),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (record, key, place, flip) => {
          const value = sealValue(encoder, key, record)
          expect(openSealed(encoder, key, value)).toEqual({ ...record, octets: Buffer.from(record.octets) })
          const at = place % value.length
          const changed = Buffer.from(value)
          changed[at] = Number(changed[at]) ^ flip
          const wrong = [
            changed,
            value.subarray(0, at),
            value.subarray(at + 1),
            Buffer.concat([value, value.subarray(at)]),
          ]
          for (const one of wrong) expect(() => openSealed(encoder, key, one)).toThrow('not what was written')
          expect(() => openSealed(encoder, `${key}.`, value)).toThrow('its checksum differs')
        },
      ),
    )
  })
})

describe('what seldom changes', () => {
  it.skipIf(process.platform !== 'linux')(
    'costs a record and not the list: the 257th topic or subscription writes as little as the first',
    async () => {
      const store = await open()
      const session = richSession('a')
      store.save(session)
      await durable(store)
      const { subscriptions, topics } = session
      const add = (id: number) => {
        const name = `${'long/'.repeat(40)}${id}`
        topics.byId.set(id, name)
        topics.byName.set(name, id)
        topics.next = id + 1
        subscriptions.set(name, { qos: 1, topicIdType: 'normal', topicId: id })
        store.save(session)
      }
      add(1000)
      const first = await written(store)
      for (let id = 1001; id < 1256; id++) {
        add(id)
        await durable(store)
      }
      add(1256)
      const last = await written(store)
      expect(first).toBeGreaterThan(0)
      expect(last).toBeLessThan(first + 40_000) // a few pages of the tree; the lists took 100 kB
      store.save(session)
      expect(await written(store)).toBeLessThan(first + 8192)
    },
  )

  it('leaves nothing behind when topics, subscriptions and sessions go, also while they are being written', async () => {
    const store = await open()
    const session = richSession('a')
    store.save(session)
    await new Promise((resolve) => setImmediate(resolve)) // the group is on its way
    session.topics.byId.clear()
    session.topics.byName.clear()
    session.subscriptions.clear()
    session.will = { topic: undefined, message: undefined }
    store.save(session)
    store.save(richSession('b'))
    await new Promise((resolve) => setImmediate(resolve))
    store.forget('b')
    await close()
    const lmdb = openLmdb({ path: folder, noSubdir: false })
    expect([...lmdb.getKeys()].filter((key) => Array.isArray(key))).toEqual([[1, 'lasting'], [1, 'progress']]) // biome-ignore format: short
    await lmdb.close()
  })

  it('of a store of the first edition is written in its new form, and loads as before', async () => {
    const store = await open()
    store.save(richSession('a'))
    await close()
    const [before] = await loaded(await open())
    await close()
    const lmdb = openLmdb({ path: folder, noSubdir: false })
    for (const key of [...lmdb.getKeys()]) if (key !== 'about') await lmdb.remove(key)
    await lmdb.put([1, 'lasting'], before?.record.lasting)
    await lmdb.put([1, 'progress'], before?.record.progress)
    await lmdb.put('about', { format: 1, program: 'mqtt-sn-gateway' })
    await lmdb.close()
    await cp(folder, join(base, 'old'), { recursive: true })
    const again = await open()
    expect((await loaded(again))[0]?.record.lasting).toEqual(before?.record.lasting)
    again.save(richSession('a'))
    await close()
    const [after] = await loaded(await open())
    expect(after?.record.lasting).toEqual(before?.record.lasting)
    await close()
    const look = openLmdb({ path: folder, noSubdir: false })
    expect([...look.getKeys({ start: [1], end: [2] })]).toEqual(
      [
        [1, 'filter 1'],
        [1, 'filter 2'],
        [1, 'lasting'],
        [1, 'progress'],
        [1, 'topic 1'],
        [1, 'topic 65534'],
        [1, 'will'],
      ].filter(([, key]) => key !== 'filter 2' || richSession('a').subscriptions.size > 1),
    )
    await look.close()
  })
})
