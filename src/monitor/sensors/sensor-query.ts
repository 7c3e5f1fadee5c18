// Which sensors a query finds, and in which order they are listed.

import type { SensorQuery, SensorSummary } from '../../console/contract/sensors.ts'
import { hasWildcard, isTopicFilter, matches } from '../../mqtt-topics.ts'
import type { Session } from '../../session/session.ts'

/** Whether a row fits; `session`: its own, if it has one, which knows its topics. */
export function fitsQuery(
  sensor: SensorSummary,
  { search, state, tag, topic }: SensorQuery,
  session: Session | undefined,
): boolean {
  if (state !== undefined && sensor.state !== state) return false
  if (tag !== undefined && !sensor.tags.includes(tag)) return false
  if (topic !== undefined && topic !== '' && (session === undefined || !hasTopic(session, topic)))
    return false
  if (search === undefined || search === '') return true
  const wanted = search.toLowerCase()
  const has = (text: string | undefined) => text?.toLowerCase().includes(wanted) === true
  return has(sensor.clientId) || has(sensor.name) || has(sensor.address) || sensor.tags.some(has)
}

/** Whether it has registered, subscribed to, or may use by a predefined id of its own what is asked for. */
function hasTopic({ topics, subscriptions }: Session, wanted: string): boolean {
  const fits = topicFinder(wanted)
  for (const name of topics.byId.values()) if (fits(name)) return true
  for (const [filter] of subscriptions) if (fits(filter)) return true
  return false
}

/** Finds a part of a name without regard to case, or names that a filter with wildcards covers. */
export function topicFinder(wanted: string): (name: string) => boolean {
  if (hasWildcard(wanted) && isTopicFilter(wanted)) return (name) => name === wanted || matches(wanted, name)
  const part = wanted.toLowerCase()
  return (name) => name.toLowerCase().includes(part)
}

/** Compares rows by the order that the query asks for, and by ClientId where that does not decide. */
export function orderOf({ sort = 'clientId', descending = false }: SensorQuery) {
  const sign = descending ? -1 : 1
  return (a: SensorSummary, b: SensorSummary): number => {
    const order = sort === 'clientId' ? 0 : sign * compare(a[sort], b[sort])
    if (order !== 0) return order
    const byName = compareNatural(a.clientId, b.clientId)
    return sort === 'clientId' ? sign * byName : byName
  }
}

function compare(a: string | number | undefined, b: string | number | undefined): number {
  if (typeof a === 'string' || typeof b === 'string') {
    // those without a name come last
    if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? 1 : -1
    return compareNatural(String(a), String(b))
  }
  return (a ?? 0) - (b ?? 0)
}

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39

/** As people count: meter-9 before meter-10. Upper and lower case are different, as they are in ClientIds. */
export function compareNatural(a: string, b: string): number {
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(j)]
    if (isDigit(x) && isDigit(y)) {
      const [first, second] = [numberAt(a, i), numberAt(b, j)]
      const order = first.digits.length - second.digits.length || compareText(first.digits, second.digits)
      if (order !== 0) return order
      i = first.end
      j = second.end
    } else if (x !== y) return x - y
    else {
      i += 1
      j += 1
    }
  }
  return a.length - i - (b.length - j) || compareText(a, b)
}

/** The number at this place, without the zeros before it. */
function numberAt(text: string, start: number): { digits: string; end: number } {
  let end = start
  while (end < text.length && isDigit(text.charCodeAt(end))) end += 1
  let first = start
  while (first < end - 1 && text.charCodeAt(first) === 0x30) first += 1
  return { digits: text.slice(first, end), end }
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
