// How long a gateway was away, whatever the wall clock says: within one boot of the machine, over another one, and where the
// system does not tell. Nobody waits here: the machine's clocks are given.

import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createBearings } from '../../src/gateway/open-store.ts'
import type { Peer } from '../../src/session/peers.ts'
import type { Env } from '../../src/session/policy.ts'
import type { Session } from '../../src/session/session.ts'
import type { Turn } from '../../src/session/turn.ts'
import { restore } from '../../src/sessions/restore.ts'
import { createSessions } from '../../src/sessions/table.ts'
import { openLmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { type MachineClock, machineClock } from '../../src/store/lmdb/store-clock.ts'
import type { Store } from '../../src/store/store.ts'
import { World } from '../support/world.ts'
import { durable } from './contract.ts'
import { loaded, messageOf, sessionOf, uplinkOf } from './sessions.ts'

const SECOND = 1000
const HOUR = 3600 * SECOND
const YEAR = 365 * 24 * HOUR
const NEAR = 500

let base: string
let places = 0

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'mqttsn-clock-'))
})

afterEach(() => rm(base, { recursive: true, force: true }))

/** A machine whose clocks are ahead of this one's by so much. */
const machine = (boot: string, ahead: number, wallAhead: number): MachineClock => ({
  boot: () => boot,
  monotonic: () => machineClock.monotonic() + ahead,
  wall: () => Date.now() + wallAhead,
})

const before = machine('one', 0, 0)

interface Found {
  readonly session: Session
  readonly now: number
  readonly at: number
  readonly expiresAt: number
}

/** An active sensor that was heard 20 s ago and may be silent for 60 s, with a publish and a message of an hour ago. */
async function fill(path: string, clock: MachineClock): Promise<Store> {
  const store = await openLmdbStore({ path, machine: clock })
  const session = sessionOf('s')
  const now = performance.now()
  session.state = 'active'
  session.established = true
  session.keepAlive = 60
  session.heardAt = now - 20 * SECOND
  session.peer = peer
  store.save(session)
  store.keepUplink('s', uplinkOf(1, { at: now - HOUR, stored: true }))
  store.keepMessage('s', messageOf(1, { at: now - HOUR, expiresAt: now + 30 * SECOND }))
  await durable(store)
  return store
}

const peer: Peer = {
  key: 'k' as Peer['key'],
  listener: { name: 'virtual', maxMessage: 1472, roaming: 'port' },
  address: '10.0.0.1',
  port: 5000,
  nodeId: undefined,
}

/** What a gateway makes of it that starts there. */
async function find(path: string, clock: MachineClock): Promise<Found> {
  const store = await openLmdbStore({ path, machine: clock })
  const [stored] = await loaded(store)
  if (stored === undefined) throw new Error('nothing is stored')
  const world = new World()
  const env: Env = {
    settings: world.settings,
    totals: world.totals,
    spooled: world.spooled,
    deadLetters: world.deadLetters,
    policyFor: () => sessionOf('s').policy,
    nameAtBroker: ({ clientId }) => clientId,
    isOwnName: () => false,
    random: () => 0,
  }
  const turn: Turn = {
    readUplink: () => 'gone',
    leavesAtOnce: () => true,
    now: performance.now(),
    env,
    out: [],
  }
  const sessions = createSessions()
  restore(sessions, stored, { ...createBearings([], store), peerOf: () => peer }, turn)
  await store.close()
  const session = sessions.byClientId.get('s')
  if (session === undefined) throw new Error('the session is forgotten')
  return {
    session,
    now: turn.now,
    at: stored.uplinks[0]?.at ?? 0,
    expiresAt: stored.messages[0]?.expiresAt ?? 0,
  }
}

/** The folder as a killed process leaves it. */
async function afterKill(path: string): Promise<string> {
  const copy = join(base, `copy-${++places}`)
  await cp(path, copy, { recursive: true, filter: (name) => !basename(name).startsWith('lock.') })
  return copy
}

const expectNear = (found: number, expected: number) => expect(Math.abs(found - expected)).toBeLessThan(NEAR)
const jumps = [
  ['is right', 0],
  ['jumps ten years forward', 10 * YEAR],
  ['jumps ten years back', -10 * YEAR],
] as const

describe.each(['stopped', 'killed'])('a gateway that was %s', (end) => {
  /** Where its store is found. */
  async function left(): Promise<string> {
    const path = join(base, 'state')
    const store = await fill(path, before)
    const copy = end === 'killed' ? await afterKill(path) : path
    await store.close()
    return copy
  }

  it.each(jumps)('knows within one boot how long it was away when the wall clock %s', async (_, jump) => {
    const path = await left()
    const { session, now, at, expiresAt } = await find(path, machine('one', 10 * SECOND, jump))
    expectNear(at, now - HOUR - 10 * SECOND)
    expectNear(expiresAt, now + 20 * SECOND)
    expect(now - session.heardAt).toBeLessThan(30 * SECOND + NEAR)
    expect(now - session.heardAt).toBeGreaterThan(20 * SECOND)
    const late = await find(path, machine('one', HOUR, jump))
    expectNear(late.at, late.now - 2 * HOUR)
    expect(late.session.wakeAt).toBeLessThanOrEqual(late.now) // it has been silent for too long, and that is known
  })

  it.each(jumps)(
    'holds nothing against sensors after another boot when the wall clock %s',
    async (_, jump) => {
      const { session, now, at, expiresAt } = await find(await left(), machine('two', -HOUR, jump))
      expectNear(at, now - HOUR)
      expectNear(expiresAt, now + 30 * SECOND)
      expectNear(session.heardAt, now) // all of its time to speak
      expect(session.state).toBe('active')
      expect(session.wakeAt).toBeGreaterThan(now - 1)
    },
  )

  it.each(jumps)(
    'does so, too, where the system does not name its boots and the wall clock %s',
    async (_, jump) => {
      const path = join(base, 'state')
      await (await fill(path, machine('', 0, 0))).close()
      const { session, now, at } = await find(path, machine('', 5 * HOUR, jump))
      expectNear(at, now - HOUR)
      expectNear(session.heardAt, now)
    },
  )
})

describe('the time after another boot', () => {
  it('is known from then on, over further starts', async () => {
    const path = join(base, 'state')
    await (await fill(path, before)).close()
    await find(path, machine('two', -HOUR, 10 * YEAR))
    const { session, now, at } = await find(path, machine('two', -HOUR + 10 * SECOND, -10 * YEAR))
    expectNear(at, now - HOUR - 10 * SECOND)
    expectNear(session.heardAt, now - 10 * SECOND)
    const late = await find(path, machine('two', 0, 0))
    expect(late.session.wakeAt).toBeLessThanOrEqual(late.now)
  })

  it('is the same for several threads that share the store', async () => {
    const path = join(base, 'state')
    await (await fill(path, before)).close()
    const away = machine('two', -HOUR, 10 * YEAR)
    await (await openLmdbStore({ path, machine: away })).close()
    const parts = await Promise.all(
      [0, 1].map((index) =>
        openLmdbStore({ path, machine: away, part: { index, count: 2, owns: () => index === 0 } }),
      ),
    )
    for (const { time } of parts) expectNear(time.knownSince, performance.now())
    const [one, other] = parts.map(({ time }) => time.toMonotonic(0))
    expect(one).toBeCloseTo(other ?? 0, 0)
    await Promise.all(parts.map((store) => store.close()))
  })
})
