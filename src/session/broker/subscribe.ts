// SUBSCRIBE and UNSUBSCRIBE: names, predefined ids, short names; answered when the broker has answered [6.9].

import { ReturnCode, type Subscribe, type Unsubscribe } from '../../codec/v1/messages.ts'
import { hasWildcard, matches, sharedFilter } from '../../mqtt-topics.ts'
import type { UpstreamEvent } from '../events.ts'
import { type RefusalReason, reasonForTopic } from '../refusal.ts'
import type { Session } from '../session.ts'
import { REPETITION } from '../setup/connect.ts'
import { permitsFilter } from '../topics/permission.ts'
import { learn } from '../topics/registry.ts'
import { filterOfRequest, normalId } from '../topics/topic-names.ts'
import { drop, refuse, send, type Turn, takeToken } from '../turn.ts'
import { isBlamed, subscribeSuspect } from './blame.ts'
import { canSubscribe } from './limits.ts'
import type { Request, Subscription } from './subscription.ts'
import { noteSent } from './suspicion.ts'

export function onSubscribe(session: Session, packet: Subscribe, turn: Turn): void {
  const { msgId } = packet
  const reject = (returnCode: ReturnCode, reason: RefusalReason, detail?: string) =>
    refuse(session, suback(msgId, 0, 0, returnCode), reason, turn, detail) // [SN-SUB-6]
  const filter = filterOfRequest(packet, session.policy.predefined)
  if (typeof filter !== 'string') return reject(filter, reasonForTopic(filter))
  if (!permitsFilter(session.policy.subscribe, filter))
    return reject(ReturnCode.notSupported, 'topic-not-permitted', filter)
  if (isBlamed(session, { ...subscribeSuspect, topic: filter }, turn.now)) {
    drop(session, 'hung-up', turn)
    return reject(ReturnCode.notSupported, 'broker-hung-up')
  }
  if (packet.qos === -1) return reject(ReturnCode.notSupported, 'qos-impossible')
  if (isPending(session, 'subscribe', msgId, filter)) return
  const last = session.subscribing.lastAnswer
  if (
    last &&
    last.request.msgId === msgId &&
    isRepetition(last.request, packet, filter, turn.now - last.at)
  ) {
    const { topicId } = last.request.subscription
    return send(session, suback(msgId, last.qos, topicId, ReturnCode.accepted), turn) // [SN-SUB-9]
  }
  if (!canSubscribe(session.link.limits, filter)) return reject(ReturnCode.notSupported, 'broker-cannot') // [SN-MAP-9]
  const subscription = subscriptionFor(session, packet, packet.qos, filter, turn)
  if (subscription === undefined) return reject(ReturnCode.congestion, 'too-many-topics')
  const noRoom = whyNoRoom(session, filter, turn)
  if (noRoom !== undefined) return reject(ReturnCode.congestion, noRoom)
  unsuppress(session, filter)
  openRequest(session, 'subscribe', msgId, filter, subscription, turn)
}

const isRepetition = (request: Request, packet: Subscribe, filter: string, age: number): boolean =>
  request.filter === filter &&
  request.subscription.qos === packet.qos &&
  request.subscription.topicIdType === packet.topicIdType &&
  age <= REPETITION

function isPending(
  { subscribing: { requests } }: Session,
  type: Request['type'],
  msgId: number,
  filter: string,
): boolean {
  const request = requests.get(msgId)
  return request?.type === type && request.filter === filter
}

/**
 * The topic id for a name without wildcards is assigned now; ids and short names are echoed [SN-SUB-1..4]. Messages of a shared
 * subscription come with the name that it shares, so it gets that name's id.
 */
function subscriptionFor(
  session: Session,
  packet: Subscribe,
  qos: 0 | 1 | 2,
  filter: string,
  turn: Turn,
): Subscription | undefined {
  if (packet.topicIdType === 'reserved') return undefined
  if (packet.topicIdType !== 'normal')
    return { qos, topicIdType: packet.topicIdType, topicId: packet.topicId }
  const topic = sharedFilter(filter)
  if (hasWildcard(topic)) return { qos, topicIdType: 'normal', topicId: 0 }
  const topicId = normalId(session, topic, turn)
  return topicId === undefined ? undefined : { qos, topicIdType: 'normal', topicId }
}

function whyNoRoom(
  { subscriptions, subscribing: { requests } }: Session,
  filter: string,
  { env }: Turn,
): RefusalReason | undefined {
  const { subscriptionsPerSensor, inflight } = env.settings.limits
  if (requests.size >= inflight) return 'too-many-requests'
  const isOneMore = !subscriptions.has(filter)
  return isOneMore && subscriptions.size + requests.size >= subscriptionsPerSensor
    ? 'too-many-subscriptions'
    : undefined
}

/** Ends subscriptions that the rules do not permit any more; the connection to the broker must be up. */
export function endForbiddenSubscriptions(session: Session, turn: Turn): void {
  const { subscriptions, policy } = session
  if (policy.subscribe === undefined || session.link.state !== 'up') return
  const forbidden = [...subscriptions].filter(([filter]) => !permitsFilter(policy.subscribe, filter))
  for (const [filter] of forbidden) {
    subscriptions.delete(filter)
    turn.out.push({ type: 'unsubscribe', session, token: takeToken(session, false, turn), filter })
  }
  if (forbidden.length > 0) turn.out.push({ type: 'save', session })
}

/** Names that the sensor once refused are wanted again [SN-GPUB-6]. */
function unsuppress({ topics }: Session, filter: string): void {
  const wanted = sharedFilter(filter)
  for (const name of topics.suppressed) if (matches(wanted, name)) topics.suppressed.delete(name)
}

export function onUnsubscribe(session: Session, packet: Unsubscribe, turn: Turn): void {
  const { msgId } = packet
  if (packet.topicIdType === 'reserved') return // UNSUBACK cannot carry an error [SN-FLG-3]
  const filter = filterOfRequest(packet, session.policy.predefined)
  if (typeof filter !== 'string') return send(session, { type: 'unsuback', msgId }, turn) // [SN-UNS-3]
  if (isPending(session, 'unsubscribe', msgId, filter)) return
  if (session.subscribing.requests.size >= turn.env.settings.limits.inflight) return
  openRequest(session, 'unsubscribe', msgId, filter, { qos: 0, topicIdType: 'normal', topicId: 0 }, turn)
}

function openRequest(
  session: Session,
  type: Request['type'],
  msgId: number,
  filter: string,
  subscription: Subscription,
  turn: Turn,
): void {
  const deadline = turn.now + turn.env.settings.timers.answer
  const request = {
    type,
    msgId,
    filter,
    subscription,
    token: takeToken(session, false, turn),
    deadline,
    sent: false,
  }
  session.subscribing.requests.set(msgId, request)
}

function sendRequest(session: Session, request: Request, turn: Turn): void {
  const { token, filter, subscription } = request
  request.sent = true
  noteSent(session, turn)
  if (request.type === 'unsubscribe') turn.out.push({ type: 'unsubscribe', session, token, filter })
  else turn.out.push({ type: 'subscribe', session, token, filter, qos: subscription.qos, replay: true })
}

/** A new connection: what was sent on the last one is asked again. */
export function resendRequests({ subscribing }: Session): void {
  for (const request of subscribing.requests.values()) request.sent = false
}

/** Sends what waits for the broker connection, at most `most`; true if that was something. */
export function sendDueRequests(session: Session, turn: Turn, most = Number.POSITIVE_INFINITY): boolean {
  let left = most
  for (const request of session.subscribing.requests.values()) {
    if (request.sent || left === 0) continue
    left -= 1
    sendRequest(session, request, turn)
  }
  return left < most
}

/** Gives a request up that the broker hangs up at; for UNSUBSCRIBE there is no code. */
export function refuseRequest(session: Session, { type, msgId, filter }: Request, turn: Turn): void {
  session.subscribing.requests.delete(msgId)
  if (type === 'subscribe') return send(session, suback(msgId, 0, 0, ReturnCode.notSupported), turn)
  // the sensor does not want it: at least no later session of the broker gets it
  session.subscriptions.delete(filter)
  turn.out.push({ type: 'save', session })
  send(session, { type: 'unsuback', msgId }, turn)
}

const suback = (msgId: number, qos: 0 | 1 | 2, topicId: number, returnCode: ReturnCode) =>
  ({ type: 'suback', qos, topicId, msgId, returnCode }) as const

function takeRequest(session: Session, token: number): Request | undefined {
  for (const request of session.subscribing.requests.values()) {
    if (request.token !== token) continue
    session.subscribing.requests.delete(request.msgId)
    return request
  }
  return undefined
}

/** The broker has answered a SUBSCRIBE: so is the sensor. */
export function answerSubscribe(
  session: Session,
  { token, outcome, qos }: Extract<UpstreamEvent, { type: 'subscribed' }>,
  turn: Turn,
): void {
  const request = takeRequest(session, token)
  if (request === undefined) return
  const { msgId, filter, subscription } = request
  if (outcome === ReturnCode.accepted) {
    session.subscriptions.set(filter, subscription)
    const { topicId, topicIdType } = subscription
    session.topics.unconfirmed.delete(topicId)
    if (topicIdType === 'normal' && topicId !== 0) {
      if (session.policy.reRegister !== 'always') learn(session.topics, topicId)
      else session.topics.told.add(topicId)
    }
    session.subscribing.lastAnswer = { request, qos, at: turn.now }
    turn.out.push({ type: 'save', session })
    send(session, suback(msgId, qos, topicId, outcome), turn)
  } else send(session, suback(msgId, 0, 0, outcome), turn) // [SN-MAP-20]
}

export function onUnsubscribed(session: Session, token: number, turn: Turn): void {
  const request = takeRequest(session, token)
  if (request === undefined) return
  session.subscriptions.delete(request.filter)
  session.subscribing.lastAnswer = undefined
  turn.out.push({ type: 'save', session })
  send(session, { type: 'unsuback', msgId: request.msgId }, turn)
}

/** When the first of the requests that wait for the broker is given up; Infinity if none waits. */
export function nextRequestDeadline({ subscribing: { requests } }: Session): number {
  let nearest = Number.POSITIVE_INFINITY
  for (const { deadline } of requests.values()) if (deadline < nearest) nearest = deadline
  return nearest
}

/** SUBSCRIBE is answered with congestion; for UNSUBSCRIBE there is no code, the sensor repeats it [SN-MAP-28]. */
export function onRequestDeadlines(session: Session, turn: Turn): void {
  for (const { type, msgId, deadline } of session.subscribing.requests.values()) {
    if (deadline > turn.now) continue
    session.subscribing.requests.delete(msgId)
    if (type === 'subscribe') send(session, suback(msgId, 0, 0, ReturnCode.congestion), turn)
  }
}
