// Sessions of DTLS end in the first thread, and come and go with the slots of its workers.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { numberInSlot, writeSlot } from '../../src/dtls/slots.ts'
import type { BoundListener } from '../../src/gateway/datagrams/listener.ts'
import { silentLog } from '../../src/log.ts'
import { SlotStates } from '../../src/sessions/ownership/slot-states.ts'
import { allSlots } from '../../src/sessions/slots.ts'
import { nameInSlot } from '../../src/store/asides.ts'
import { openLmdbStore } from '../../src/store/lmdb/lmdb.ts'
import type { SlotRouter } from '../../src/workers/cluster/slot-router.ts'
import { FleetSlots } from '../../src/workers/fleet-slots.ts'
import { FrontSecurity } from '../../src/workers/front-security.ts'
import type { Thread } from '../../src/workers/thread.ts'
import { openStoredLink, openStoredSensor, sharingOf } from '../support/stored-link.ts'

const SLOT = 3
let path = ''

beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), 'mqttsn-slots-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
})

/** The first thread of a process with one listener of this name, with the store in the folder. */
async function firstThread(name = 'field') {
  const link = await openStoredLink({ name })
  const bound = { index: 0, transport: link.transport } as BoundListener
  const security = new FrontSecurity({
    index: 1,
    states: new SlotStates(allSlots),
    listeners: () => [bound],
  })
  const sharing = sharingOf({ chooseSlot: () => SLOT })
  const router = { sealed: { sharingOf: () => sharing } } as unknown as SlotRouter
  const config = { listeners: [{ name, dtls: {} }], store: { type: 'lmdb', path } } as unknown as Config
  await security.begin(config, silentLog, { taken: undefined, router })
  return { link, security }
}

/** What is in the store, by name. */
async function stored(): Promise<ReadonlyMap<string, unknown>> {
  const store = await openLmdbStore({ path, slotOf: () => 0 })
  await store.close()
  return store.asides
}

/** A session of a process that has ended; its number. */
async function sessionOfBefore(name?: string): Promise<number> {
  const { link, security } = await firstThread(name)
  await security.takeUp([SLOT])
  const sensor = await openStoredSensor(link)
  sensor.say('hello')
  await expect.poll(() => link.received.length, { interval: 2 }).toBe(1)
  await security.letGo([SLOT], 'closing')
  await security.close()
  return link.received[0]?.from.association?.number ?? 0
}

describe('sessions of slots', () => {
  it('stay in the store where the worker could not load its sensors of them at first [DTLS-RUN-1]', async () => {
    const number = await sessionOfBefore()
    const { link, security } = await firstThread()
    let isAble = false
    const call = async () => {
      if (!isAble) throw new Error('the database is away')
    }
    const thread = { call, outbox: { flush() {} } } as unknown as Thread
    const slots = new FleetSlots({ count: 1, thread: () => thread, security: () => security, settle() {} })
    await expect(slots.adopt([SLOT])).rejects.toThrow('away')
    expect([slots.states.stateOf(SLOT), link.secure.about(number)]).toEqual(['absent', undefined])
    isAble = true
    await slots.adopt([SLOT])
    expect(link.secure.about(number)).toBeDefined()
    await security.close()
    const next = await firstThread()
    await next.security.takeUp([SLOT])
    expect(next.link.secure.about(number)).toBeDefined()
    await next.security.close()
  })

  it('leave no keys behind when their listener is not there any more, and none of their numbers is given again', async () => {
    const number = await sessionOfBefore('old')
    expect([...(await stored()).keys()]).toContain(`@${SLOT} dtls ${number} old`)
    const { security } = await firstThread('new')
    await security.takeUp([SLOT])
    await security.close()
    expect([...(await stored()).keys()].filter((name) => name.startsWith('@'))).toEqual([
      `@${SLOT} dtls numbers old`,
    ])
  })

  it('are taken up in many turns where they are many', async () => {
    const number = await sessionOfBefore()
    const one = Object((await stored()).get(`@${SLOT} dtls ${number} field`))
    const store = await openLmdbStore({ path, slotOf: () => 0 })
    const slots = allSlots.slice(0, 64)
    for (let i = 0; i < 3000; i += 1) {
      const slot = slots[i % slots.length] ?? 0
      const session = numberInSlot(slot, 1000 + i)
      const ownCid = Uint8Array.of(0, 0, i >> 8, i, 1, 1)
      writeSlot(ownCid, slot)
      store.keepAside(nameInSlot(slot, `dtls ${session} field`), () => ({ ...one, session, ownCid }))
    }
    await store.close()
    const { link, security } = await firstThread()
    const counts = new Set<number | undefined>()
    let isOver = false
    const look = () => {
      counts.add(link.transport.stats().secure?.sessions)
      if (!isOver) setImmediate(look)
    }
    look()
    await security.takeUp(slots)
    isOver = true
    expect(link.transport.stats().secure?.sessions).toBe(3001)
    expect(counts.size).toBeGreaterThan(3)
    await security.close()
  })
})
