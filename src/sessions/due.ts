// Sessions by the time when something is due of them, so that a tick looks at those alone, however many there are. Pure.

import type { Session } from '../session/session.ts'

/** Milliseconds that sessions are kept together for: about one tick. */
const WIDTH = 50

/** Sessions by periods of their deadlines; each is in the period of its deadline, or in an earlier one. */
export interface Calendar {
  /** by the number of the period, counted from time 0 */
  readonly periods: Map<number, Set<Session>>
  /** the period that was looked at last: earlier ones are empty */
  reached: number
}

/** The sessions of a table, and when something is due of whom. */
export interface Dated {
  readonly byClientId: ReadonlyMap<string, Session>
  readonly calendar: Calendar
}

/** Without sessions. */
export const createCalendar = (): Calendar => ({ periods: new Map(), reached: 0 })

const periodOf = (time: number): number => Math.floor(time / WIDTH)

/**
 * To be called whenever `session.wakeAt` has changed. A session whose deadline went away, as with each message that is heard, stays
 * where it is until that period is over. One that is not in the table is not taken.
 */
export function noteDeadline({ byClientId, calendar }: Dated, session: Session): void {
  const period = Math.max(calendar.reached, periodOf(session.wakeAt))
  if (period >= session.duePeriod || byClientId.get(session.clientId) !== session) return
  dropDeadline(calendar, session)
  enter(calendar, session, period)
}

/** The session leaves the table: nothing of it is due any more. */
export function dropDeadline({ periods }: Calendar, session: Session): void {
  const there = periods.get(session.duePeriod)
  there?.delete(session)
  if (there?.size === 0) periods.delete(session.duePeriod)
  session.duePeriod = Number.POSITIVE_INFINITY
}

function enter({ periods }: Calendar, session: Session, period: number): void {
  session.duePeriod = period
  if (period === Number.POSITIVE_INFINITY) return
  const there = periods.get(period)
  if (there === undefined) periods.set(period, new Set([session]))
  else there.add(session)
}

/** Those up to this one that may have sessions. Time may have stood still for days: then it is cheaper to ask which there are. */
function* passedPeriods({ periods, reached }: Calendar, last: number): Iterable<number> {
  if (last - reached < periods.size) for (let period = reached; period <= last; period += 1) yield period
  else for (const period of periods.keys()) if (period <= last) yield period
}

/**
 * The sessions whose deadline has passed: each is to be given the event `deadline`. The next call finds them again unless their
 * deadline has moved, so that none is overlooked because dealing with it failed.
 */
export function dueSessions({ calendar }: Dated, now: number): readonly Session[] {
  const reached = Math.max(calendar.reached, periodOf(now))
  const looked: Session[] = []
  for (const period of passedPeriods(calendar, reached)) {
    for (const session of calendar.periods.get(period) ?? []) looked.push(session)
    calendar.periods.delete(period)
  }
  calendar.reached = reached
  const due: Session[] = []
  for (const session of looked) {
    if (session.wakeAt <= now) due.push(session)
    enter(calendar, session, Math.max(reached, periodOf(session.wakeAt)))
  }
  return due
}

/**
 * Gives each session of which something is due to `pass`, which says whether that was work, until `pace` says that others are to have
 * their turn; false: then the rest is to be dealt with in the next one. After a start thousands may be due at once.
 */
export function passDue(
  dated: Dated,
  now: number,
  pass: (session: Session) => boolean,
  pace: { isOver(): boolean },
): boolean {
  for (const session of dueSessions(dated, now)) if (pass(session) && pace.isOver()) return false
  return true
}
