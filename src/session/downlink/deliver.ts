// From the broker to the sensor: REGISTER first where the topic is new, then PUBLISH at QoS 0, 1 or 2 [6.10, 6.5].

import { publishLength, registerLength } from '../../codec/v1/frame.ts'
import type { Publish } from '../../codec/v1/messages.ts'
import { octets } from '../../mqtt-topics.ts'
import type { DropReason, Message, QueuedMessage, UpstreamEvent } from '../events.ts'
import { roomFor } from '../peers.ts'
import type { Turn } from '../policy.ts'
import { drop, type Outstanding, type Session, send } from '../session.ts'
import { finishAwake } from '../setup/sleep.ts'
import { assignTopic, shortId } from '../topics/registry.ts'
import { ask } from './ask.ts'
import { enqueue, remove, removeAll } from './queue.ts'

/** How a topic name is written towards the sensor. */
interface Address {
  readonly topicIdType: 'normal' | 'predefined' | 'short'
  readonly topicId: number
}

/**
 * A message from the broker. The gateway takes it over: stored first, acknowledged then, delivered when the sensor can
 * take it [AMB-28]. What can never be delivered is acknowledged too, so that it does not block the broker [SN-GPUB-9].
 */
export function onMessage(
  session: Session,
  { message, ack, packetId }: Extract<UpstreamEvent, { type: 'message' }>,
  turn: Turn,
): void {
  if (packetId !== 0 && session.received.has(packetId)) {
    if (ack !== undefined) turn.out.push({ type: 'acknowledge', session, ack }) // a repetition [SN-MAP-17]
    return
  }
  if (session.topics.suppressed.has(message.topic)) drop(session, 'rejected', turn)
  else if (isTooLong(session, message)) drop(session, 'too-long', turn)
  else enqueue(session, message, turn)
  if (packetId !== 0) {
    session.received.add(packetId)
    turn.out.push({ type: 'saveProgress', session, lazy: false })
  }
  if (ack !== undefined) turn.out.push({ type: 'acknowledge', session, ack })
  deliverNext(session, turn)
}

/** The broker will not repeat this message: its identifier may mean another one from now on [SN-MAP-17]. */
export function onReleasing(
  session: Session,
  { packetId, ack }: Extract<UpstreamEvent, { type: 'releasing' }>,
  turn: Turn,
): void {
  if (session.received.delete(packetId)) turn.out.push({ type: 'saveProgress', session, lazy: false })
  turn.out.push({ type: 'acknowledge', session, ack })
}

/** Whether this many octets do not fit the sensor's link [SN-GPUB-9]. */
const exceeds = (session: Session, length: number): boolean =>
  session.peer !== undefined && length > roomFor(session.peer)

const isTooLong = (session: Session, message: Message): boolean =>
  exceeds(session, publishLength(message.payload.length))

/** Whether an answer must come first: of the sensor, or of the broker to a SUBSCRIBE [SN-SUB-8]. */
function isWaiting({ outstanding, paused, requests }: Session): boolean {
  if (outstanding !== undefined || paused) return true
  for (const request of requests.values()) if (request.type === 'subscribe') return true
  return false
}

/** Sends what can be sent now: all QoS 0 messages up to the first that needs an answer. */
export function deliverNext(session: Session, turn: Turn): void {
  const { state } = session
  if (state !== 'active' && state !== 'awake') return
  while (!isWaiting(session)) {
    if (session.releasing !== 0) return ask(session, 'pubrel', session.releasing, 0, turn)
    const message = session.queue[0]
    const isAwake = state === 'awake'
    if (message === undefined || session.holdUntil > turn.now || (isAwake && isAwakeOver(session, turn))) {
      return isAwake ? finishAwake(session, turn) : undefined
    }
    deliver(session, message, turn)
  }
}

/** The limit of messages or of time per awake period [SN-SLP-8]. */
const isAwakeOver = (session: Session, { now }: Turn): boolean =>
  session.awakeCount >= session.policy.messagesPerWake || now >= session.awakeUntil

function deliver(session: Session, message: QueuedMessage, turn: Turn): void {
  const address = addressOf(session, message.topic, turn)
  const discard = (reason: DropReason) => {
    remove(session, message, turn)
    drop(session, reason, turn)
  }
  if (message.expiresAt !== undefined && message.expiresAt <= turn.now) return discard('expired') // [SN-SLP-20]
  if (address === undefined) return discard('unregistered')
  if (isTooLong(session, message)) return discard('too-long')
  if (address.topicIdType === 'normal' && needsRegister(session, address.topicId)) {
    if (exceeds(session, registerLength(octets(message.topic)))) return discard('too-long')
    return ask(session, 'register', msgIdOf(message), address.topicId, turn)
  }
  session.awakeCount += 1
  if (message.qos === 0) {
    remove(session, message, turn)
    return send(session, publishOf(message, address, 0, false), turn)
  }
  const repeated = message.sent // before the sensor fell asleep or connected anew [SN-SLP-7]
  message.sent = true
  const msgId = msgIdOf(message)
  const deadline = turn.now + turn.env.settings.timers.tRetry
  session.outstanding = { kind: 'publish', msgId, topicId: address.topicId, repeated, tries: 0, deadline }
  send(session, publishOf(message, address, msgId, repeated), turn)
}

/** Whether the sensor must be told the name of this id first [SN-GPUB-2, SN-SESS-9, AMB-7]. */
const needsRegister = ({ topics, policy }: Session, topicId: number): boolean =>
  !topics.confirmed.has(topicId) && !(policy.reRegister === 'never' && topics.learned.has(topicId))

const publishOf = (message: QueuedMessage, address: Address, msgId: number, dup: boolean): Publish => ({
  type: 'publish',
  dup,
  qos: message.qos,
  retain: message.retain, // [SN-GPUB-15]
  topicIdType: address.topicIdType,
  topicId: address.topicId,
  msgId,
  data: message.payload,
})

/** The same PUBLISH again, with DUP [SN-GPUB-13]. */
export function repeatDelivery(session: Session, { msgId }: Outstanding, turn: Turn): void {
  const message = session.queue[0]
  const address = message && addressOf(session, message.topic, turn)
  if (message && address) send(session, publishOf(message, address, msgId, true), turn, true)
}

/**
 * The form in which the sensor knows this topic: as it subscribed it; under a wildcard its predefined id, else the two
 * octets of a short name, else a normal id [SN-GPUB-14]. Undefined when no more ids may be assigned.
 */
function addressOf(session: Session, topic: string, { env, out }: Turn): Address | undefined {
  const subscription = session.subscriptions.get(topic)
  if (subscription !== undefined && subscription.topicId !== 0) return subscription
  const { predefined } = session.policy
  const known = session.topics.byName.get(topic)
  if (known === undefined || !session.topics.learned.has(known)) {
    const predefinedId = predefined.byName.get(topic)
    if (predefinedId !== undefined) return { topicIdType: 'predefined', topicId: predefinedId }
    const short = shortId(topic)
    if (short !== undefined) return { topicIdType: 'short', topicId: short }
  }
  const topicId = known ?? assignTopic(session.topics, topic, env.settings.limits.topicsPerSensor, predefined)
  // told to the sensor by REGISTER: it must mean the same after a crash [SN-REG-8]
  if (known === undefined && topicId !== undefined) out.push({ type: 'save', session })
  return topicId === undefined ? undefined : { topicIdType: 'normal', topicId }
}

/** 1..65535; follows from the message's own id, so that a repetition after a crash carries the same [SN-GPUB-10, -13]. */
const msgIdOf = ({ id }: QueuedMessage): number => 1 + ((id - 1) % 0xffff)

/** Stops a delivery in progress: the sensor falls asleep, or connects anew. What is unfinished is offered again. */
export function suspendDelivery(session: Session): void {
  session.paused = false
  session.outstanding = undefined
}

/** Drops all that waits for this topic id. */
export function dropTopic(session: Session, topicId: number, reason: DropReason, turn: Turn): void {
  const name = session.topics.byId.get(topicId)
  removeAll(session, (message) => message.topic === name, reason, turn)
}
