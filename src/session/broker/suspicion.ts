// A broker that hangs up instead of answering: which request it hangs up at, and what becomes of that request. The one place
// where this is decided. After a break, what was under way is sent again one by one; what was alone under way at two breaks
// in a row is set aside, so that nothing behind it waits. MQTT 3.1.1 brokers have no other way to refuse a PUBLISH, and some
// MQTT 5 brokers use none.

import type { AloneUnderWay } from '../events.ts'
import type { Link, Session } from '../session.ts'
import type { Turn } from '../turn.ts'
import { publishSuspect, type Suspect, subscribeSuspect } from './blame.ts'

/** A broker that hangs up at something does so at once; a break later than this has another cause, milliseconds. */
const PROMPT = 10_000

/** The same for QoS 0, which is under way for ever if only time tells when it is not. */
const PROMPT_QOS0 = 1000

/** A break this soon after the broker has refused something is part of the refusal, milliseconds. */
const AFTER_REFUSAL = 500

/** Breaks with the same request alone under way after which it is set aside: more where an innocent one is met more easily. */
const BREAKS = 2
const BREAKS_QOS0 = 3

/** Breaks that are further apart have nothing to do with each other, milliseconds. */
const IN_A_ROW = 120_000

/** How long a QoS 0 publish, which nobody answers, is watched before the next request is sent, milliseconds. */
const WATCH = 500

/** How long QoS 0 publishes are watched one by one after a break that one of them may have caused, milliseconds. */
const WATCHING = 10_000

/** Two QoS 0 publishes within this time cannot be told apart by the break that follows, milliseconds. */
const MIXED = 500

const never = Number.POSITIVE_INFINITY

/** The like of it: a sensor that gave a publish up, or has connected again meanwhile, sends the same one anew. */
const keyOf = ({ kind, topic, qos, retain, length, uplink }: Suspect): string =>
  uplink === undefined
    ? `${kind} ${topic}`
    : `${kind} ${topic} ${qos} ${retain} ${length} ${checksum(uplink.data)}`

/** FNV-1a: enough to tell a repetition from another message. */
function checksum(data: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const octet of data) hash = Math.imul(hash ^ octet, 0x01000193)
  return hash
}

/** Notes that a request was sent: a break soon after may be its fault. */
export function noteSent({ link }: Session, { now }: Turn): void {
  link.hangUps.sentAt = now
}

/** Notes a QoS 0 publish, which is under way until the broker answers something else, or some time has passed. */
export function noteUnanswered(
  { link }: Session,
  topic: string,
  retain: boolean,
  length: number,
  { now: at }: Turn,
): void {
  link.hangUps.sentAt = at
  const last = link.hangUps.unanswered
  if (last === undefined) link.hangUps.unanswered = { topic, retain, length, at, isMixed: false }
  else {
    last.isMixed = at - last.at < MIXED && (last.isMixed || last.topic !== topic)
    last.topic = topic
    last.retain = retain
    last.length = length
    last.at = at
  }
}

/** The broker has answered: it has taken what came before, too. */
export function noteAnswered({ link }: Session): void {
  link.hangUps.unanswered = undefined
}

/** The broker has refused something: some close the connection right after. */
export function noteRefused({ link }: Session, { now }: Turn): void {
  link.hangUps.refusedAt = now
}

/** Whether requests are sent one at a time. */
export const isCautious = ({ link }: Session): boolean => link.hangUps.suspicion !== undefined

/** When what is watched has proved harmless, and the next may be sent; Infinity if nothing is watched. */
export function watchEnd(session: Session): number {
  const { suspicion, unanswered, sentAt } = session.link.hangUps
  if (suspicion === undefined) return never
  const ofQos0 = unanswered === undefined ? suspicion.watchUntil || never : unanswered.at + WATCH
  return hasRequestUnderWay(session) ? Math.min(ofQos0, sentAt + PROMPT) : ofQos0
}

/** That time has come. */
export function endWatch(session: Session, { now }: Turn): void {
  const { hangUps } = session.link
  const { suspicion, unanswered, silent } = hangUps
  if (unanswered === undefined || now >= unanswered.at + WATCH) hangUps.unanswered = undefined
  if (suspicion !== undefined && now >= suspicion.watchUntil)
    hangUps.suspicion = { ...suspicion, watchUntil: 0 }
  // a broker that has not hung up by now will not, and may never answer: that must not stop everything else
  if (now >= hangUps.sentAt + PROMPT) for (const token of underWay(session)) silent.add(token)
}

/** Whether something is under way, so that nothing else may be sent while requests go one at a time. */
export const isUnderWay = (session: Session): boolean =>
  session.link.hangUps.unanswered !== undefined || hasRequestUnderWay(session)

function hasRequestUnderWay(session: Session): boolean {
  for (const _ of underWay(session)) return true
  return false
}

/** Tokens of the requests that the broker owes an answer, unless it is silent about them. */
function* underWay({ link, uplink, subscribing }: Session): Iterable<number> {
  const { silent } = link.hangUps
  for (const [token] of link.restoring) if (!silent.has(token)) yield token
  for (const { sent, token } of subscribing.requests.values()) if (sent && !silent.has(token)) yield token
  for (const { token, broker } of uplink.outgoing.values()) {
    if (broker !== 'sent' && (broker !== 'received' || link.toRelease.includes(token))) continue
    if (!silent.has(token)) yield token
  }
}

/** What is under way to the broker; `alone`: of that, what is known to be. */
function suspectsOf(session: Session, now: number, alone?: AloneUnderWay): Suspect[] {
  if (alone?.token === 0) {
    const { topic, retain, length } = alone
    return [{ kind: 'publish', topic, qos: 0, retain, length }]
  }
  const { link, uplink, subscribing } = session
  const found: Suspect[] = []
  for (const token of underWay(session)) {
    if (alone !== undefined && alone.token !== token) continue
    const publish = uplink.outgoing.get(token)
    const filter = link.restoring.get(token)
    if (publish !== undefined) found.push(publishSuspect(publish))
    else if (filter !== undefined) found.push({ ...subscribeSuspect, topic: filter })
    for (const request of subscribing.requests.values()) {
      if (request.token === token) found.push({ ...subscribeSuspect, topic: request.filter, request })
    }
  }
  const { unanswered } = link.hangUps
  if (unanswered === undefined || alone !== undefined || now - unanswered.at > PROMPT_QOS0) return found
  const { topic, retain, length, isMixed } = unanswered
  const last: Suspect = { kind: 'publish', topic, qos: 0, retain, length }
  found.push(last)
  if (isMixed) found.push({ ...last, topic: '' }) // the one before it is not known any more
  return found
}

/**
 * The connection broke. Undefined if that cannot have to do with what was under way. Otherwise the requests are sent one at a
 * time from now on; `guilty`: what was alone under way at this break and the one before, and is to be set aside; `isOwed`: the
 * connection is needed at once, since some of it is sent again or answered, or since the broker closed it after a refusal.
 * `alone`: those who share the connection know what was alone under way.
 */
export function judgeBreak(
  session: Session,
  { now }: Turn,
  alone?: AloneUnderWay,
): { guilty: Suspect | undefined; isOwed: boolean } | undefined {
  const { link } = session
  if (now - link.hangUps.refusedAt < AFTER_REFUSAL) {
    link.hangUps.refusedAt = Number.NEGATIVE_INFINITY
    link.hangUps.unanswered = undefined
    link.hangUps.silent.clear()
    link.hangUps.suspicion = { until: link.nextToken, watchUntil: 0 }
    return { guilty: undefined, isOwed: true } // what was sent behind the refused request is innocent
  }
  const suspects = now - link.hangUps.sentAt < PROMPT ? suspectsOf(session, now, alone) : []
  link.hangUps.silent.clear()
  const isQos0 = suspects.some(({ kind, qos }) => kind === 'publish' && qos === 0)
  const isWatched = isQos0 && now - link.hangUps.qos0BreakAt < IN_A_ROW // once is no reason to slow all down
  if (isQos0) link.hangUps.qos0BreakAt = now
  link.hangUps.unanswered = undefined
  const [first, second] = suspects
  if (first === undefined) return undefined
  link.hangUps.suspicion = { until: link.nextToken, watchUntil: isWatched ? now + WATCHING : 0 }
  const breaks = second === undefined ? noteAlone(link, keyOf(first), now) : 0
  const enough = first.qos === 0 && first.kind === 'publish' ? BREAKS_QOS0 : BREAKS
  const isGuilty = alone?.again === true || breaks >= enough
  if (isGuilty || second !== undefined) link.hangUps.lastAlone = undefined
  const isOwed = suspects.some(({ kind, qos }) => kind === 'subscribe' || qos > 0)
  return { guilty: isGuilty ? first : undefined, isOwed }
}

/** At how many breaks in a row it was alone under way by now. */
function noteAlone(link: Link, key: string, at: number): number {
  const { lastAlone } = link.hangUps
  const isSame = lastAlone?.key === key && at - lastAlone.at < IN_A_ROW
  const breaks = isSame ? lastAlone.breaks + 1 : 1
  link.hangUps.lastAlone = { key, at, breaks }
  return breaks
}

/** The broker could not be reached: the last break was its own. */
export function noteUnreachable({ link }: Session): void {
  link.hangUps.lastAlone = undefined
  link.hangUps.qos0BreakAt = Number.NEGATIVE_INFINITY
}

/** Ends the suspicion once everything that was under way at the break is settled. */
export function settleSuspicion({ link, uplink, subscribing }: Session, now: number): void {
  const { suspicion, silent } = link.hangUps
  if (suspicion === undefined || link.toRestore.length > 0 || now < suspicion.watchUntil) return
  for (const [token] of link.restoring) if (!silent.has(token)) return
  for (const { token } of subscribing.requests.values()) if (token < suspicion.until) return
  for (const { token, broker, refusals = 0 } of uplink.outgoing.values()) {
    if (broker === 'waiting' && refusals > 0) continue // the broker has answered, and is asked again later
    if (silent.has(token)) continue
    if (token < suspicion.until) return
    break
  }
  link.hangUps.suspicion = undefined
}
