// Who is looked for when: a tick without a deadline must not cost a look at every session.

import { expect, it } from 'vitest'
import type { Session } from '../../src/session/session.ts'
import { createSessions, dueSessions, noteDeadline } from '../../src/sessions/table.ts'
import { sessionOf } from '../store/sessions.ts'

function waiting(...times: readonly number[]) {
  const sessions = createSessions()
  const all = times.map((wakeAt, i): Session => {
    const session = sessionOf(`dev${i}`)
    session.wakeAt = wakeAt
    sessions.byClientId.set(session.clientId, session)
    noteDeadline(sessions, session)
    return session
  })
  return { sessions, all }
}

it('finds those that are due, and nobody before the first is', () => {
  const { sessions, all } = waiting(500, 100, 300)
  expect(dueSessions(sessions, 99)).toEqual([])
  expect(dueSessions(sessions, 300)).toEqual([all[1], all[2]])
})

it('finds one again until its deadline has moved', () => {
  const { sessions, all } = waiting(100)
  expect([dueSessions(sessions, 100), dueSessions(sessions, 150)]).toEqual([all, all])
  for (const session of all) session.wakeAt = 1000
  expect([dueSessions(sessions, 200), sessions.nextAt]).toEqual([[], 1000])
  expect(dueSessions(sessions, 1000)).toEqual(all)
})

it('finds one whose deadline came nearer, and looks once in vain where it went away', () => {
  const { sessions, all } = waiting(500, 800)
  const [first, second] = all as [Session, Session]
  second.wakeAt = 200
  noteDeadline(sessions, second)
  expect(dueSessions(sessions, 200)).toEqual([second])
  second.wakeAt = 900
  first.wakeAt = 700
  expect(dueSessions(sessions, 500)).toEqual([])
  expect(sessions.nextAt).toBe(700)
})
