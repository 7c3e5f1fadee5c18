// What is wrong with a sensor: one cause is told once, with what to do about it.

import { expect, it } from 'vitest'
import { createRecentRefusals } from '../../../src/monitor/recent-refusals.ts'
import { findingsOf } from '../../../src/monitor/sensors/findings.ts'
import type { RefusalReason } from '../../../src/session/refusal.ts'
import { World } from '../../support/world.ts'

type Looked = Parameters<typeof findingsOf>[0]
type Remembered = Parameters<typeof findingsOf>[1]

/** What is found of a sensor that was refused for these reasons, and of which this is known besides. */
function idsOf(reasons: readonly RefusalReason[], looked: object = {}, remembered: object = {}) {
  const refusals = createRecentRefusals()
  const { peer } = new World().sensor('10.0.0.1')
  for (const reason of reasons) refusals.add({ reason, peer, clientId: 'a' })
  const nothing = {
    waiting: [],
    deadLetters: [],
    published: [],
    delivered: [],
    refusedTopics: [],
    dropped: {},
  }
  const detail = {
    state: 'active',
    clientId: 'a',
    queued: 0,
    ...nothing,
    refusals: refusals.list(),
    ...looked,
  }
  return findingsOf(detail as unknown as Looked, { packets: [], ...remembered } as unknown as Remembered)
}

it('tells one cause once: twins, a login, an unknown topic id, a message that the broker hangs up at', () => {
  const twins = idsOf(['client-id-contested'], {}, { contestedAt: Date.now(), contestedBy: 'both' })
  expect(twins).toMatchObject([{ id: 'same-client-id' }])
  expect(idsOf(['broker-refused'], { lastError: 'not authorized' })).toMatchObject([{ id: 'login' }])
  const use = { topic: 'topic id 77', refused: 9, lastCode: 2, lastRefusal: 'invalid topic id' }
  const unknown = idsOf(['topic-id-unknown'], { published: [use] })
  expect(unknown).toMatchObject([{ id: 'publish: topic id 77', key: 'predefined' }])
  const hungUp = idsOf(['broker-hung-up'], { dropped: { 'hung-up': 3 } })
  expect(hungUp).toMatchObject([
    { id: 'refused: broker-hung-up', next: expect.stringContaining('log of the broker') },
  ])
})

it('tells of a refused topic both which it is and why', () => {
  const use = { topic: 'a/b', refused: 2, lastCode: 3, lastRefusal: 'not supported' }
  const found = idsOf(['topic-not-permitted'], { published: [use] }).map(({ id }) => id)
  expect(found).toEqual(['publish: a/b', 'refused: topic-not-permitted'])
})
