// From the broker to the sensor: REGISTER first where the topic is new, then PUBLISH at QoS 0, 1 or 2 [6.10, 6.5].

import { publishLength, registerLength } from '../../codec/v1/frame.ts'
import type { Publish } from '../../codec/v1/messages.ts'
import { octets } from '../../mqtt-topics.ts'
import type { DropReason, UpstreamEvent } from '../events.ts'
import type { Message, QueuedMessage } from '../message.ts'
import { roomFor } from '../peers.ts'
import type { Session } from '../session.ts'
import { isListening } from '../states.ts'
import { permitsTopic } from '../topics/permission.ts'
import { mayKnow } from '../topics/registry.ts'
import { formForSensor, type TopicForm } from '../topics/topic-names.ts'
import { drop, send, type Turn } from '../turn.ts'
import { askSensor } from './ask.ts'
import { takeOverOwed } from './owed.ts'
import { dropMessages, enqueueMessage, removeMessage } from './queue.ts'
import { probeFor, spendCredit } from './validation.ts'
import { acknowledgeMessage, isWithheld, mustWithhold, takeWithheld, withholdMessage } from './withhold.ts'

/** Milliseconds until a full link is asked again. */
const FULL_PAUSE = 100

/**
 * A message from the broker. The gateway takes it over: stored first, acknowledged then, delivered when the sensor can
 * take it [AMB-28]; or it acknowledges when the sensor has it; or it leaves it to the broker for now, and withholds the acknowledgement. What can never be delivered is acknowledged too, so that it does not block the broker [SN-GPUB-9].
 */
export function onMessage(
  session: Session,
  { message, ack, packetId, patient }: Extract<UpstreamEvent, { type: 'message' }>,
  turn: Turn,
): void {
  if (ack !== undefined) takeOverOwed(session, turn)
  const { received } = session.downlink
  if (packetId !== 0 && received.has(packetId)) {
    if (ack !== undefined) turn.out.push({ type: 'acknowledge', session, ack }) // a repetition [SN-MAP-17]
    return
  }
  if (ack !== undefined && isWithheld(session, ack)) return
  const reason = unfitness(session, message)
  const left = patient && message.qos === 1 ? ack : undefined
  if (reason !== undefined) drop(session, reason, turn)
  else if (mustWithhold(session, message, turn) || !enqueueMessage(session, message, turn, turn.now, left)) {
    if (withholdMessage(session, { message, ack, packetId, at: turn.now }, turn)) return
    drop(session, 'queue-full', turn)
  }
  if (session.downlink.owed !== undefined) return
  acknowledgeMessage(session, { ack, packetId }, turn)
}

/** Why a message can never be delivered. */
function unfitness(session: Session, message: Message): DropReason | undefined {
  if (session.topics.suppressed.has(message.topic)) return 'rejected'
  if (!permitsTopic(session.policy.subscribe, message.topic)) return 'not-allowed'
  return isTooLong(session, message) ? 'too-long' : undefined
}

/** Whether a message from the broker is to be put into the queue now. */
export const isToBeQueued = (session: Session, message: Message, turn: Turn): boolean =>
  unfitness(session, message) === undefined && !mustWithhold(session, message, turn)

/** The broker will not repeat this message: its identifier may mean another one from now on [SN-MAP-17]. */
export function onReleasing(
  session: Session,
  { packetId, ack }: Extract<UpstreamEvent, { type: 'releasing' }>,
  turn: Turn,
): void {
  if (session.downlink.received.delete(packetId)) {
    turn.out.push({ type: 'saveProgress', session, lazy: false })
  }
  turn.out.push({ type: 'acknowledge', session, ack })
}

/** Whether this many octets do not fit the sensor's link, or the device itself [SN-GPUB-9]. */
const exceedsLink = ({ peer, policy: { maxMessageSize } }: Session, length: number): boolean =>
  (peer !== undefined && length > roomFor(peer)) || (maxMessageSize !== undefined && length > maxMessageSize)

const isTooLong = (session: Session, message: Message): boolean =>
  exceedsLink(session, publishLength(message.payload.length))

/** Whether an answer must come first: of the sensor, or of the broker to a SUBSCRIBE [SN-SUB-8]. */
function isWaiting({ downlink, subscribing }: Session): boolean {
  if (downlink.outstanding !== undefined || downlink.paused) return true
  for (const request of subscribing.requests.values()) if (request.type === 'subscribe') return true
  return false
}

/**
 * Sends what can be sent now: all QoS 0 messages up to the first that needs an answer. True if the sensor is awake and
 * nothing more comes in this awake period.
 */
export function deliverDue(session: Session, turn: Turn): boolean {
  const { downlink } = session
  if (downlink.withheld !== undefined) takeWithheld(session, turn)
  if (!isListening(session)) return false
  let room = session.peer?.listener.room?.(session.peer) ?? Number.POSITIVE_INFINITY
  while (!isWaiting(session)) {
    if (downlink.releasing !== undefined) {
      askSensor(session, { type: 'pubrel', msgId: downlink.releasing }, turn)
      return false
    }
    const message = downlink.queue[0]
    const isHeld = downlink.holdUntil !== undefined && downlink.holdUntil > turn.now
    if (message === undefined || isHeld || isAwakeOver(session, turn)) return session.state === 'awake'
    if (room <= 0) return holdBack(session, turn)
    room -= 1
    if (!deliver(session, message, turn)) return session.state === 'awake'
    if (downlink.withheld !== undefined) takeWithheld(session, turn)
  }
  return false
}

/** The link is full: the next message waits until it may have room; a sleeper stays awake for it. */
function holdBack({ downlink }: Session, { now }: Turn): false {
  downlink.holdUntil = now + FULL_PAUSE
  return false
}

/** The limit of messages or of time per awake period [SN-SLP-8]. */
function isAwakeOver({ downlink: { awake }, policy }: Session, { now }: Turn): boolean {
  if (awake === undefined) return false
  return awake.over || awake.sent >= policy.messagesPerWake || now >= awake.until
}

/** Sends the message, or asks what must come first; false if it has to wait until something comes from the sensor. */
function deliver(session: Session, message: QueuedMessage, turn: Turn): boolean {
  const form = formForSensor(session, message.topic, turn)
  const discard = (reason: DropReason): true => {
    removeMessage(session, message, turn)
    drop(session, reason, turn)
    return true
  }
  if (message.expiresAt !== undefined && message.expiresAt <= turn.now) return discard('expired') // [SN-SLP-20]
  if (form === undefined) return discard('unregistered')
  if (isTooLong(session, message)) return discard('too-long')
  if (form.topicIdType === 'normal' && needsRegister(session, form.topicId)) {
    const { topic: topicName } = message
    const length = registerLength(octets(topicName))
    if (exceedsLink(session, length)) return discard('too-long')
    if (!spendCredit(session, length, turn)) return false
    const msgId = msgIdOf(message)
    const { topicId } = form
    askSensor(
      session,
      { type: 'register', topicId, msgId, topicName },
      turn,
      mayKnow(session.topics, topicId),
    )
    session.topics.told.add(topicId)
    return true
  }
  if (!session.validation.done && !mayUnproven(session, message, form, turn)) return false
  const { awake } = session.downlink
  if (awake !== undefined) awake.sent += 1
  if (message.qos === 0) {
    removeMessage(session, message, turn)
    send(session, publishOf(message, form, 0, false), turn)
    return true
  }
  const repeated = message.sent // before the sensor fell asleep or connected anew [SN-SLP-7]
  message.sent = true
  askSensor(session, publishOf(message, form, msgIdOf(message), repeated), turn, repeated)
  return true
}

/** Whether an address that has not shown that it hears gets one more message; it is asked to show it before that ends. */
function mayUnproven(
  session: Session,
  { topic, payload, qos }: QueuedMessage,
  form: TopicForm,
  turn: Turn,
): boolean {
  const length = registerLength(octets(topic))
  if (qos === 0 && form.topicIdType === 'normal' && !exceedsLink(session, length)) {
    const probe = probeFor(session, form.topicId, topic, turn)
    if (probe !== undefined && spendCredit(session, length, turn)) send(session, probe, turn)
  }
  return spendCredit(session, publishLength(payload.length), turn)
}

/** Whether the sensor must be told the name of this id first [SN-GPUB-2, SN-SESS-9, AMB-7]. */
const needsRegister = ({ topics, policy }: Session, topicId: number): boolean =>
  !topics.confirmed.has(topicId) && !(policy.reRegister === 'never' && topics.learned.has(topicId))

const publishOf = (message: QueuedMessage, form: TopicForm, msgId: number, dup: boolean): Publish => ({
  type: 'publish',
  dup,
  qos: message.qos,
  retain: message.retain, // [SN-GPUB-15]
  topicIdType: form.topicIdType,
  topicId: form.topicId,
  msgId,
  data: message.payload,
})

/** 1..65535; follows from the message's own id, so that a repetition after a crash carries the same [SN-GPUB-10, -13]. */
const msgIdOf = ({ id }: QueuedMessage): number => 1 + ((id - 1) % 0xffff)

/** Drops all that waits for this topic id. */
export function dropTopic(session: Session, topicId: number, reason: DropReason, turn: Turn): void {
  const name = session.topics.byId.get(topicId)
  dropMessages(session, (message) => message.topic === name, reason, turn)
}
