// What sensors that share a connection ask of their subscriptions, and what of that the broker is asked: one subscription for all who
// want the same filter. Pure: time is an argument.

import type { Outcome } from '../../../session/message.ts'
import { type Entry, lowerOf, type Qos, type SubscribeRequest } from './entry.ts'
import type { FilterTable } from './filter-table.ts'

/** What is to be asked of the broker for one filter. */
export type Step =
  | { readonly type: 'subscribe'; readonly qos: Qos; readonly replay: boolean }
  | { readonly type: 'unsubscribe' }

/** The answer to a member's request. */
export interface SubscribeAnswer<M> {
  readonly request: SubscribeRequest<M>
  readonly outcome: Outcome
  readonly qos: Qos
}

/** How long after SUBACK, or after the last of them, retained messages are still taken for an answer to SUBSCRIBE, milliseconds. */
export const AFTERGLOW = 5000

const never = Number.NEGATIVE_INFINITY

/** A member asks for a filter; what is to be asked of the broker, `nextStep` tells. */
export function requestFilter<M>(
  table: FilterTable<M>,
  filter: string,
  request: Omit<SubscribeRequest<M>, 'before'>,
): Entry<M> {
  const entry = table.open(filter)
  const before = entry.subscribers.get(request.member)
  table.join(entry, request.member, request.qos)
  entry.waiting = [...entry.waiting, { ...request, before }]
  entry.isPostponed = false
  return entry
}

/**
 * A member does not want a filter any more: it gets nothing for it from now on, whatever the broker knows. Returns the filter, of
 * which the broker may have to forget it.
 */
export function leaveFilter<M>(table: FilterTable<M>, filter: string, member: M): Entry<M> | undefined {
  const entry = table.get(filter)
  if (entry !== undefined) table.part(entry, member)
  return entry
}

/** A member is gone for good, or begins anew: nothing of it is left. Returns the filters that it had. */
export function wipeMember<M>(table: FilterTable<M>, member: M): readonly Entry<M>[] {
  const entries = table.of(member)
  const isOther = (one: SubscribeRequest<M>) => one.member !== member
  for (const entry of entries) {
    table.part(entry, member)
    entry.waiting = entry.waiting.filter(isOther)
    entry.underWay = entry.underWay.filter(isOther)
  }
  return entries
}

/** What is to be asked of the broker now, and is under way then. `byTopic`: see `FilterTable.wantedQos`. */
export function nextStep<M>(table: FilterTable<M>, entry: Entry<M>, byTopic: boolean): Step | undefined {
  if (entry.busy !== undefined) return undefined
  const { asked, waiting, subscribers } = entry
  if (subscribers.size === 0 && waiting.length === 0) {
    if (asked === undefined && !entry.isUnsure) return undefined
    entry.busy = 'unsubscribe'
    return { type: 'unsubscribe' }
  }
  if (entry.isPostponed) return undefined
  const wanted = table.wantedQos(entry, byTopic)
  const replay = waiting.some((request) => request.replay)
  if (asked !== undefined && asked >= wanted && !replay) return undefined
  const qos = asked !== undefined && asked > wanted ? asked : wanted
  entry.busy = 'subscribe'
  entry.askedBefore = asked
  entry.asked = qos
  entry.underWay = waiting
  entry.waiting = []
  for (const request of waiting)
    if (request.replay) entry.audience.set(request.member, Number.POSITIVE_INFINITY)
  entry.quietUntil = replay ? never : Number.POSITIVE_INFINITY
  return { type: 'subscribe', qos, replay }
}

/** Requests that need nothing of the broker, since it has the subscription. */
export function takeSatisfied<M>(entry: Entry<M>): SubscribeAnswer<M>[] {
  if (entry.busy !== undefined || entry.asked === undefined) return []
  const { granted, waiting } = entry
  entry.waiting = []
  return waiting.map((request) => ({ request, outcome: 0, qos: lowerOf(request.qos, granted) }))
}

/** SUBACK. `ended`: members whose subscription, given back to the broker, it does not take. */
export function takeSuback<M>(
  table: FilterTable<M>,
  entry: Entry<M>,
  { outcome, qos: granted }: { readonly outcome: Outcome; readonly qos: Qos },
  now: number,
): { readonly answers: SubscribeAnswer<M>[]; readonly ended: M[] } {
  const { underWay } = entry
  entry.busy = undefined
  entry.underWay = []
  if (outcome === 0) {
    entry.granted = granted
    entry.isUnsure = false
    for (const [member, until] of entry.audience)
      if (until === Number.POSITIVE_INFINITY) entry.audience.set(member, now + AFTERGLOW)
    if (entry.quietUntil === Number.POSITIVE_INFINITY) entry.quietUntil = now + AFTERGLOW
    const answers = underWay.map((request) => ({ request, outcome, qos: lowerOf(request.qos, granted) }))
    return { answers, ended: [] }
  }
  entry.asked = entry.askedBefore // the broker goes on with what it had
  entry.quietUntil = never
  entry.isPostponed = true
  for (const request of [...underWay].reverse()) undoRequest(table, entry, request)
  const isOver = outcome === 3 && underWay.length === 0 && entry.asked === undefined
  const ended = isOver ? [...entry.subscribers.keys()] : []
  for (const member of ended) table.part(entry, member)
  return { answers: underWay.map((request) => ({ request, outcome, qos: 0 })), ended }
}

/** UNSUBACK. */
export function takeUnsuback<M>(entry: Entry<M>): void {
  entry.busy = undefined
  entry.asked = undefined
  entry.isUnsure = false
}

/** The connection broke: who had nothing before has nothing, and those whose requests are returned are told of a failure. */
export function breakSubscribing<M>(table: FilterTable<M>): SubscribeRequest<M>[] {
  const requests: SubscribeRequest<M>[] = []
  for (const entry of table.all) {
    if (entry.busy === 'subscribe') {
      entry.asked = undefined
      entry.isUnsure = true
    }
    entry.busy = undefined
    for (const request of [...entry.underWay, ...entry.waiting].reverse()) {
      undoRequest(table, entry, request)
      requests.push(request)
    }
    entry.waiting = []
    entry.underWay = []
    entry.audience.clear()
    entry.quietUntil = never
    table.prune(entry)
  }
  return requests
}

/** A connection is there. `isPresent`: the broker has kept what it knew. */
export function resumeSubscribing<M>(table: FilterTable<M>, isPresent: boolean): void {
  for (const entry of table.all) {
    entry.isPostponed = false
    if (!isPresent) {
      entry.asked = undefined
      entry.isUnsure = false
    }
    table.prune(entry)
  }
}

function undoRequest<M>(
  table: FilterTable<M>,
  entry: Entry<M>,
  { member, before }: SubscribeRequest<M>,
): void {
  if (!entry.subscribers.has(member)) return // it has left meanwhile
  if (before === undefined) table.part(entry, member)
  else table.join(entry, member, before)
}
