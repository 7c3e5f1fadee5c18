// The folder of a store is deleted or moved while the gateway runs: what is written then is lost with the process, so that it
// must not count as stored.

import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openLmdbStore } from '../../src/store/lmdb/lmdb.ts'
import type { Store } from '../../src/store/store.ts'
import { until } from '../support/gateway.ts'
import { durable } from './contract.ts'
import { loaded, messageOf, sessionOf } from './sessions.ts'

let base: string
let folder: string
let store: Store
let errors: string[]
let infos: string[]

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'mqttsn-absence-'))
  folder = join(base, 'state')
  errors = []
  infos = []
  const log = { error: (line: string) => errors.push(line), info: (line: string) => infos.push(line) }
  store = await openLmdbStore({ path: folder, log, lookAfter: 20, retryAfter: 20 })
  store.save(sessionOf('s'))
  await durable(store)
})

afterEach(async () => {
  await store.close()
  await rm(base, { recursive: true, force: true })
})

const gone = () => expect.stringContaining(`the store in ${folder} was deleted, moved or replaced`)

it('is noticed while nothing is written', async () => {
  await rm(folder, { recursive: true })
  await until(() => store.health.error !== undefined)
  expect(store.health.error).toEqual(gone())
  expect(errors).toEqual([gone()])
})

it.each(['deleted', 'replaced by an empty folder'])(
  'is noticed by the next write, and makes no new store: %s',
  async (how) => {
    await rm(folder, { recursive: true })
    if (how !== 'deleted') await mkdir(folder)
    store.keepMessage('s', messageOf(1))
    expect(String(await durable(store))).toContain('was deleted, moved or replaced')
    expect(store.durable).toBeLessThan(store.written)
    expect(how === 'deleted' ? existsSync(folder) : readdirSync(folder).length > 0).toBe(false)
  },
)

it('is over when it is back, with nothing lost', async () => {
  await rename(folder, join(base, 'moved'))
  await until(() => store.health.error !== undefined)
  store.keepMessage('s', messageOf(1))
  expect(await durable(store)).toBeInstanceOf(Error)
  await rename(join(base, 'moved'), folder)
  await until(() => store.durable === store.written && store.health.error === undefined)
  expect(infos).toEqual(['what could not be stored is stored now'])
  await store.close()
  store = await openLmdbStore({ path: folder })
  const [session] = await loaded(store)
  expect(session?.messages.map(({ id }) => id)).toEqual([1])
})
