// Who is looked for when: a tick without a deadline must not cost a look at every session.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Session } from '../../src/session/session.ts'
import { dueSessions, noteDeadline, passDue } from '../../src/sessions/due.ts'
import { createSessions, removeSession } from '../../src/sessions/table.ts'
import { sessionOf } from '../store/sessions.ts'

const never = Number.POSITIVE_INFINITY

const moves = fc.record({
  who: fc.nat(4),
  wakeIn: fc.oneof(fc.integer({ min: -100, max: 500 }), fc.constant(never)),
  passes: fc.nat(200),
})

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
  expect([dueSessions(sessions, 200), dueSessions(sessions, 999)]).toEqual([[], []])
  expect(dueSessions(sessions, 1000)).toEqual(all)
})

it('finds one whose deadline came nearer, and when its time has come one whose deadline went away', () => {
  const { sessions, all } = waiting(500, 800)
  const [first, second] = all as [Session, Session]
  second.wakeAt = 200
  noteDeadline(sessions, second)
  expect(dueSessions(sessions, 200)).toEqual([second])
  second.wakeAt = 900
  first.wakeAt = 700
  expect([dueSessions(sessions, 500), dueSessions(sessions, 700)]).toEqual([[], [first]])
})

it('finds one whose deadline is in the past already', () => {
  const { sessions, all } = waiting(never)
  expect(dueSessions(sessions, 10_000)).toEqual([])
  for (const session of all) session.wakeAt = 10
  for (const session of all) noteDeadline(sessions, session)
  expect(dueSessions(sessions, 10_001)).toEqual(all)
})

it('keeps nothing of a session that has left, whatever becomes of it', () => {
  const { sessions, all } = waiting(100, 5000, 100_000_000)
  for (const session of all) removeSession(sessions, session)
  for (const session of all) noteDeadline(sessions, session)
  expect([dueSessions(sessions, 6000), sessions.calendar.periods.size]).toEqual([[], 0])
})

it('finds at each tick those whose deadline has passed, as a look at all would, however deadlines move', () => {
  fc.assert(
    fc.property(fc.array(moves, { maxLength: 200 }), (steps) => {
      const { sessions, all } = waiting(...Array.from({ length: 5 }, () => never))
      let now = 0
      for (const { who, wakeIn, passes } of steps) {
        const session = all[who] as Session
        session.wakeAt = now + wakeIn
        noteDeadline(sessions, session)
        now += passes
        const expected = all.filter(({ wakeAt }) => wakeAt <= now)
        expect(new Set(dueSessions(sessions, now))).toEqual(new Set(expected))
      }
    }),
  )
})

it('lets others have their turn, and goes on with those that are left: what is due is never overlooked', () => {
  const { sessions, all } = waiting(...Array.from({ length: 10 }, (_, i) => 100 + i), 100)
  const [served, passed]: Session[][] = [all.slice(0, 10), []]
  let left = 0
  const pass = (session: Session): boolean => {
    if (!served?.includes(session)) return false // it costs nothing
    passed?.push(session)
    session.wakeAt = 5000
    left -= 1
    return true
  }
  const turns: boolean[] = []
  for (let turn = 0; turn < 4; turn += 1) {
    left = 4
    turns.push(passDue(sessions, 200, pass, { isOver: () => left <= 0 }))
  }
  expect([turns, passed]).toEqual([[false, false, true, true], served])
  expect(dueSessions(sessions, 200)).toEqual(all.slice(10))
})

it('looks at those alone of which something may be due', () => {
  const { sessions } = waiting(100, ...Array.from({ length: 1000 }, (_, i) => 1000 + i))
  dueSessions(sessions, 100)
  const looks = [...sessions.calendar.periods].filter(([period]) => period <= sessions.calendar.reached)
  expect(looks.map(([, there]) => there.size)).toEqual([1])
})
