// A broker that hangs up instead of answering: which request it hangs up at, and what becomes of that request. The one place
// where this is decided. After a break, what was under way is sent again one by one; what was alone under way at two breaks
// in a row is set aside, so that nothing behind it waits. MQTT 3.1.1 brokers have no other way to refuse a PUBLISH, and some
// MQTT 5 brokers use none.

import type { Uplink } from '../message.ts'
import type { Link, Session } from '../session.ts'
import type { Turn } from '../turn.ts'
import type { Request } from './subscription.ts'

/** One request that was under way when a connection broke; `uplink`, `request`: which, where somebody waits for it. */
export interface Suspect {
  readonly kind: 'publish' | 'subscribe'
  readonly topic: string
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  /** octets of the payload */
  readonly length: number
  readonly uplink?: Uplink
  readonly request?: Request
}

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

/** How long blame is remembered, milliseconds: the broker's rules may change. */
const MEMORY = 300_000

/** Blame that one session remembers. */
const MOST_BLAMED = 16

/** A SUBSCRIBE as a suspect; its `topic` is the filter. */
export const subscribeSuspect = { kind: 'subscribe', qos: 0, retain: false, length: 0 } as const

const keyOf = ({ kind, topic, uplink }: Suspect): string =>
  uplink === undefined ? `${kind} ${topic}` : `${kind} ${uplink.token}`

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

/** When the QoS 0 publish that is watched has proved harmless, or all have; Infinity if none is watched. */
export function watchEnd({
  link: {
    hangUps: { suspicion, unanswered },
  },
}: Session): number {
  if (suspicion === undefined) return Number.POSITIVE_INFINITY
  return unanswered === undefined ? suspicion.watchUntil || Number.POSITIVE_INFINITY : unanswered.at + WATCH
}

/** That time has come. */
export function endWatch({ link }: Session, { now }: Turn): void {
  const { suspicion } = link.hangUps
  link.hangUps.unanswered = undefined
  if (suspicion !== undefined && now >= suspicion.watchUntil)
    link.hangUps.suspicion = { ...suspicion, watchUntil: 0 }
}

/** Whether something is under way, so that nothing else may be sent while requests go one at a time. */
export function isUnderWay({ link, uplink, subscribing }: Session): boolean {
  if (link.restoring.size > 0 || link.hangUps.unanswered !== undefined) return true
  for (const { sent } of subscribing.requests.values()) if (sent) return true
  for (const { broker } of uplink.outgoing.values()) if (broker === 'sent') return true
  return false
}

/** What is under way to the broker. */
function suspectsOf({ link, uplink, subscribing }: Session, now: number): Suspect[] {
  const found: Suspect[] = []
  for (const one of uplink.outgoing.values()) {
    if (one.broker === 'sent') found.push(publishSuspect(one))
  }
  for (const topic of link.restoring.values()) found.push({ ...subscribeSuspect, topic })
  for (const request of subscribing.requests.values()) {
    if (request.sent) found.push({ ...subscribeSuspect, topic: request.filter, request })
  }
  const { unanswered } = link.hangUps
  if (unanswered === undefined || now - unanswered.at > PROMPT_QOS0) return found
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
 */
export function judgeBreak(
  session: Session,
  { now }: Turn,
): { guilty: Suspect | undefined; isOwed: boolean } | undefined {
  const { link } = session
  if (now - link.hangUps.refusedAt < AFTER_REFUSAL) {
    link.hangUps.refusedAt = Number.NEGATIVE_INFINITY
    link.hangUps.unanswered = undefined
    link.hangUps.suspicion = { until: link.nextToken, watchUntil: 0 }
    return { guilty: undefined, isOwed: true } // what was sent behind the refused request is innocent
  }
  const suspects = now - link.hangUps.sentAt < PROMPT ? suspectsOf(session, now) : []
  const isQos0 = suspects.some(({ kind, qos }) => kind === 'publish' && qos === 0)
  const isWatched = isQos0 && now - link.hangUps.qos0BreakAt < IN_A_ROW // once is no reason to slow all down
  if (isQos0) link.hangUps.qos0BreakAt = now
  link.hangUps.unanswered = undefined
  const [first, second] = suspects
  if (first === undefined) return undefined
  link.hangUps.suspicion = { until: link.nextToken, watchUntil: isWatched ? now + WATCHING : 0 }
  const breaks = second === undefined ? noteAlone(link, keyOf(first), now) : 0
  const isGuilty = breaks >= (first.qos === 0 && first.kind === 'publish' ? BREAKS_QOS0 : BREAKS)
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
  const { suspicion } = link.hangUps
  if (suspicion === undefined || link.toRestore.length + link.restoring.size > 0) return
  if (now < suspicion.watchUntil) return
  for (const { token } of subscribing.requests.values()) if (token < suspicion.until) return
  for (const { token, broker, refusals = 0 } of uplink.outgoing.values()) {
    if (broker === 'waiting' && refusals > 0) continue // the broker has answered, and is asked again later
    if (token < suspicion.until) return
    break
  }
  link.hangUps.suspicion = undefined
}

/** Remembers what the broker hung up at. */
export function blameSuspect({ link }: Session, suspect: Suspect, { now }: Turn): void {
  const { kind, topic, qos, retain, length } = suspect
  link.hangUps.blamed = [
    ...link.hangUps.blamed.filter(({ until }) => until > now).slice(1 - MOST_BLAMED),
    { kind, topic, qos, retain, length, until: now + MEMORY },
  ]
}

/** A publish as a suspect. */
export const publishSuspect = (uplink: Uplink): Suspect => {
  const { topic, qos, retain, data } = uplink
  return { kind: 'publish', topic, qos, retain, length: data.length, uplink }
}

/** Whether the broker hung up at the like of it not long ago. Cheap where nothing is blamed. */
export const isBlamed = (
  {
    link: {
      hangUps: { blamed },
    },
  }: Session,
  { kind, topic, qos, retain, length }: Suspect,
  now: number,
): boolean =>
  blamed.length > 0 &&
  blamed.some(
    (one) =>
      one.until > now &&
      one.kind === kind &&
      one.topic === topic &&
      one.retain === retain &&
      qos >= one.qos &&
      length >= one.length,
  )
