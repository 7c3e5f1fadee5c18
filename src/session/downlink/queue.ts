// Messages that wait for one sensor, within the limits of the sensor and of the gateway [SN-SLP-7, -14].

import type { DropReason } from '../events.ts'
import type { Message, QueuedMessage } from '../message.ts'
import type { Limits, QueuePolicy } from '../policy.ts'
import type { Session } from '../session.ts'
import { isListening } from '../states.ts'
import { drop, type Turn, takeMessageId } from '../turn.ts'
import { oweMessage, settleOwed } from './owed.ts'

/** What a queued message counts against the limits on octets. */
export const queuedSize = (message: Message): number => message.payload.length + message.topic.length

/** Whether the head is on its way to the sensor, so that it cannot be dropped. */
function headIsOpen({ downlink: { outstanding } }: Session): boolean {
  const type = outstanding?.packet.type
  return type === 'publish' || type === 'register'
}

/**
 * Appends a message, after making room as the rule for its topic says. Where no room can be made, or the newest is to go,
 * the message itself is dropped. False: at QoS 1 and 2 it is left to the broker instead where only the limits over all
 * sensors refuse it. `at`: when it came, monotonic milliseconds. `ack`: of a message that may be left to the broker while it is on its way.
 */
export function enqueueMessage(
  session: Session,
  message: Message,
  turn: Turn,
  at = turn.now,
  ack?: number,
): boolean {
  const rule = session.policy.queueFor(message.topic)
  if (isUnkept(session, message)) {
    drop(session, 'asleep', turn)
    return true
  }
  if (rule.overflow === 'latest-per-topic') supersede(session, message.topic, turn)
  const queued: QueuedMessage = {
    id: takeMessageId(session, turn),
    topic: message.topic,
    payload: message.payload,
    qos: message.qos,
    retain: message.retain,
    expiresAt: earliest(message.expiresAt, at + rule.age),
    at,
    sent: false,
    repaired: false,
  }
  if (!makeRoom(session, queued, rule, turn)) {
    if (queued.qos > 0 && !isOwnQueueFull(session, queued, rule, turn)) return false
    drop(session, 'queue-full', turn)
    return true
  }
  const isOnItsWay = ack !== undefined && isDeliverableNow(session, turn)
  session.downlink.queue.push(queued)
  addToTotals(session, turn, 1, queuedSize(queued))
  if (isOnItsWay) oweMessage(session, queued, ack, turn)
  else if (queued.qos > 0) turn.out.push({ type: 'keepMessage', session, message: queued })
  return true
}

/** Whether a message is none that waits for a sleeping sensor. */
const isUnkept = ({ state, policy }: Session, { qos, topic }: Message): boolean =>
  qos === 0 && state === 'asleep' && !policy.queueFor(topic).qos0

function earliest(a: number | undefined, b: number): number | undefined {
  if (a === undefined) return Number.isFinite(b) ? b : undefined
  return Math.min(a, b)
}

/** Of this topic only the newest message is of use; one that is on its way to the sensor stays. */
export function supersede(session: Session, topic: string, turn: Turn): void {
  for (const old of session.downlink.queue.slice(headIsOpen(session) ? 1 : 0)) {
    if (old.topic !== topic) continue
    removeMessage(session, old, turn)
    drop(session, 'superseded', turn)
  }
}

function makeRoom(session: Session, message: QueuedMessage, rule: QueuePolicy, turn: Turn): boolean {
  if (!isFull(session, message, rule, turn)) return true
  dropMessages(session, isTooOld(session, turn.now), 'expired', turn)
  while (isFull(session, message, rule, turn)) {
    const victim = rule.overflow === 'drop-newest' ? undefined : findVictim(session, rule, turn, message)
    if (victim === undefined) return false
    removeMessage(session, victim, turn)
    drop(session, 'queue-full', turn)
  }
  return true
}

const isTooOld = (session: Session, now: number) => {
  const head = headIsOpen(session) ? session.downlink.queue[0] : undefined
  return (message: QueuedMessage): boolean =>
    message !== head && message.expiresAt !== undefined && message.expiresAt <= now
}

const isFull = (session: Session, message: Message, rule: QueuePolicy, turn: Turn): boolean =>
  isOwnQueueFull(session, message, rule, turn) || lacksTotalRoom(session, message, turn)

function isOwnQueueFull(session: Session, message: Message, rule: QueuePolicy, { env }: Turn): boolean {
  const { limits } = env.settings
  const more = queuedSize(message)
  return (
    session.downlink.queue.length >= limits.queuedMessages ||
    session.downlink.octets + more > limits.queuedOctets ||
    isRuleFull(session, rule, more, limits)
  )
}

/** Which of the limits over all sensors one more message would break. */
export function exceededTotal(message: Message, { env }: Turn): 'messages' | 'octets' | undefined {
  const { limits } = env.settings
  if (env.totals.queuedMessages >= limits.totalQueuedMessages) return 'messages'
  return env.totals.queuedOctets + queuedSize(message) > limits.totalQueuedOctets ? 'octets' : undefined
}

/** Whether the limits over all sensors stand in the way; not in that of a message that is delivered at once. */
export const lacksTotalRoom = (session: Session, message: Message, turn: Turn): boolean =>
  exceededTotal(message, turn) !== undefined &&
  !isDeliverableNow(session, turn) &&
  !isUnkept(session, message)

function isDeliverableNow(session: Session, { now }: Turn): boolean {
  const { queue, outstanding, paused, holdUntil = now } = session.downlink
  return (
    isListening(session) && queue.length === 0 && outstanding === undefined && !paused && holdUntil <= now
  )
}

/**
 * Whether the queue of a sensor that listens takes one more before the broker is to wait: half of what may wait, so that the
 * flow goes on while the broker sends more, and the rest is there for QoS 0.
 */
export function hasRoomToFlow(session: Session, message: Message, { env }: Turn): boolean {
  const { queue, octets } = session.downlink
  if (queue.length === 0) return true
  const { limits } = env.settings
  const more = queuedSize(message)
  if (queue.length >= Math.ceil(limits.queuedMessages / 2)) return false
  if (octets + more > Math.ceil(limits.queuedOctets / 2)) return false
  const rule = session.policy.queueFor(message.topic)
  return rule.overflow === 'latest-per-topic' || !isRuleFull(session, rule, more, limits)
}

/** A rule that allows less than the sensor's queue as a whole is counted over the messages that fall under it. */
function isRuleFull(
  { downlink: { queue }, policy }: Session,
  rule: QueuePolicy,
  more: number,
  limits: Limits,
): boolean {
  if (rule.messages >= limits.queuedMessages && rule.octets >= limits.queuedOctets) return false
  let messages = 1
  let octets = more
  for (const message of queue) {
    if (policy.queueFor(message.topic) !== rule) continue
    messages += 1
    octets += queuedSize(message)
  }
  return messages > rule.messages || octets > rule.octets
}

/** The oldest of QoS 0, else the oldest: among those of the same rule if it is the rule that is full. */
function findVictim(
  session: Session,
  rule: QueuePolicy,
  { env }: Turn,
  message: Message,
): QueuedMessage | undefined {
  const ruleIsFull = isRuleFull(session, rule, queuedSize(message), env.settings.limits)
  const candidates = session.downlink.queue.filter(
    (one, i) =>
      (i > 0 || !headIsOpen(session)) && (!ruleIsFull || session.policy.queueFor(one.topic) === rule),
  )
  return candidates.find(({ qos }) => qos === 0) ?? candidates[0]
}

/** What goes first where the gateway as a whole is full: the oldest of QoS 0, else what the rule of its topic would drop. */
export function findMostDispensable(session: Session): QueuedMessage | undefined {
  const { downlink, policy } = session
  const candidates = headIsOpen(session) ? downlink.queue.slice(1) : downlink.queue
  return (
    candidates.find(({ qos }) => qos === 0) ??
    candidates.find(({ topic }) => policy.queueFor(topic).overflow !== 'drop-newest') ??
    candidates.at(-1)
  )
}

function addToTotals(session: Session, { env }: Turn, messages: number, octets: number): void {
  session.downlink.octets += octets
  env.totals.queuedMessages += messages
  env.totals.queuedOctets += octets
}

/** Takes a message out of the queue, and out of the store. */
export function removeMessage(session: Session, message: QueuedMessage, turn: Turn): void {
  if (session.downlink.queue[0] === message) session.downlink.queue.shift()
  else session.downlink.queue.splice(session.downlink.queue.indexOf(message), 1)
  addToTotals(session, turn, -1, -queuedSize(message))
  if (message.qos > 0 && !settleOwed(session, message, turn))
    turn.out.push({ type: 'dropMessage', session, message })
}

/**
 * Puts the first message, which the sensor did not take, behind those of other topics. All of its topic go with it, since the
 * order within a topic holds.
 */
export function postponeHead({ downlink }: Session): void {
  const topic = downlink.queue[0]?.topic
  if (downlink.queue.every((message) => message.topic === topic)) return
  downlink.queue = [
    ...downlink.queue.filter((message) => message.topic !== topic),
    ...downlink.queue.filter((message) => message.topic === topic),
  ]
}

/** The sensor went, or began anew, without an answer to what it was sent: at its next delivery another topic comes first. */
export function postponeUnanswered(session: Session): void {
  if (headIsOpen(session)) postponeHead(session)
}

/** Drops every queued message that `which` names. */
export function dropMessages(
  session: Session,
  which: (message: QueuedMessage) => boolean,
  reason: DropReason,
  turn: Turn,
): void {
  for (const message of session.downlink.queue.filter(which)) {
    removeMessage(session, message, turn)
    drop(session, reason, turn)
  }
}

/** Empties the queue without counting drops. The head's answer is not waited for any more. */
export function clearQueue(session: Session, turn: Turn): void {
  if (headIsOpen(session)) session.downlink.outstanding = undefined
  while (session.downlink.queue[0] !== undefined) removeMessage(session, session.downlink.queue[0], turn)
}
