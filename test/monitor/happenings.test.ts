// The list of events: bounded by kind, joined within a minute, found again, told in batches, merged from several gateways.

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import type { HappeningBatch } from '../../src/console/contract/happenings.ts'
import { createHappenings, mergeHappenings, type Note } from '../../src/monitor/happenings.ts'
import { noteFailedReload, noteReload } from '../../src/monitor/reload-happenings.ts'
import { createBrokerWatch } from '../../src/monitor/watch-surroundings.ts'
import { scriptedView } from '../console/scripted-view.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const all = { offset: 0, limit: 10_000 }
const refusal = (clientId: string): Note => ({
  kind: 'refused',
  tone: 'warn',
  text: 'Refused.',
  clientId,
  same: clientId,
})

it('joins what happens again within a minute, and begins anew after it', () => {
  const happenings = createHappenings()
  for (let i = 0; i < 3; i++) {
    happenings.note(refusal('a'))
    vi.advanceTimersByTime(20_000)
  }
  happenings.note(refusal('a'))
  const { items } = happenings.list(all)
  expect(items.map(({ times, id }) => [times, id])).toEqual([
    [1, '2'],
    [3, '1'],
  ])
})

it('lets a flood of one kind push out only that kind, the oldest first', () => {
  const happenings = createHappenings()
  happenings.note({ kind: 'lost', tone: 'bad', text: 'Lost.', clientId: 'x' })
  for (let i = 0; i < 3000; i++) happenings.note(refusal(`s${i}`))
  expect(happenings.list({ ...all, kind: 'lost' }).total).toBe(1)
  const { total, items } = happenings.list({ ...all, kind: 'refused' })
  expect([total, items[0]?.clientId, items.at(-1)?.clientId]).toEqual([1000, 's2999', 's2000'])
})

it('bounds what others have said', () => {
  const happenings = createHappenings()
  happenings.note({ ...refusal('x'.repeat(5000)), detail: 'y'.repeat(5000) })
  const [one] = happenings.list(all).items
  expect([one?.clientId?.length, one?.detail?.length]).toEqual([200, 200])
})

it('tells batches of what is new or happened again, each event once, and how many had no place', () => {
  const happenings = createHappenings()
  const batches: HappeningBatch[] = []
  const stop = happenings.onBatch((batch) => batches.push(batch))
  for (let i = 0; i < 3; i++) happenings.note(refusal('a'))
  expect(batches).toEqual([])
  vi.advanceTimersByTime(600)
  expect(batches).toMatchObject([{ more: 0, items: [{ clientId: 'a', times: 3 }] }])
  for (let i = 0; i < 500; i++) happenings.note(refusal(`s${i}`))
  vi.advanceTimersByTime(600)
  expect([batches[1]?.items.length, batches[1]?.more]).toEqual([200, 300])
  stop()
  happenings.note(refusal('b'))
  expect(vi.getTimerCount()).toBe(0)
})

it('is one list of those of several gateways, whose events keep different names', () => {
  const [one, two] = [createHappenings('1-'), createHappenings('2-')]
  for (let i = 0; i < 5; i++) {
    one.note(refusal(`one-${i}`))
    vi.advanceTimersByTime(10)
    two.note(refusal(`two-${i}`))
    vi.advanceTimersByTime(10)
  }
  const query = { offset: 3, limit: 3 }
  const wanted = { offset: 0, limit: 6 }
  const { total, items } = mergeHappenings([one.list(wanted), two.list(wanted)], query)
  expect([total, items.map(({ clientId }) => clientId)]).toEqual([10, ['one-3', 'two-2', 'one-2']])
  expect(new Set(items.map(({ id }) => id)).size).toBe(3)
})

it('has reloads: what holds now, what waits for a restart, what could not be used', () => {
  const happenings = createHappenings()
  noteReload(happenings, { applied: ['limits.sensors'], waiting: ['store.path'], ended: [] })
  noteFailedReload(happenings, ['broker.url: expected a url'])
  expect(happenings.list(all).items).toMatchObject([
    { kind: 'reload', tone: 'bad', detail: 'broker.url: expected a url' },
    { kind: 'reload', tone: 'warn', detail: 'store.path' },
    { kind: 'reload', tone: 'good', detail: 'limits.sensors' },
  ])
})

it('has the broker: away from the start, there, refusing, changed, lost and back within a second', () => {
  const { broker } = scriptedView().now
  const notes: Note[] = []
  const look = createBrokerWatch((note) => notes.push(note))
  const away = { ...broker, healthy: false }
  for (let i = 0; i < 6; i++) look(away)
  look(broker)
  look({ ...broker, openings: broker.openings + 1 })
  look({ ...away, openings: broker.openings + 1 })
  look({ ...away, openings: broker.openings + 1, trouble: 'not authorized (0x87): see broker.username' })
  look({ ...broker, openings: broker.openings + 2 })
  look({ ...broker, openings: broker.openings + 3, url: 'mqtt://other' })
  expect(notes.map(({ tone, text }) => `${tone} ${text}`)).toEqual([
    'bad The broker cannot be reached.',
    'good The broker is back.',
    'warn The connection to the broker was lost, and made again at once.',
    'bad The broker went away.',
    'bad The broker does not accept the gateway: not authorized (0x87): see broker.username.',
    'good The broker is back.',
    `note Another broker of the list is used, in place of ${broker.url}.`,
  ])
})
