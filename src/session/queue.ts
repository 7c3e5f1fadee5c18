// Messages that wait for one sensor, within the limits of the sensor and of the gateway [SN-SLP-7, -14].

import type { DropReason, Message, QueuedMessage } from './events.ts'
import { drop, type Session } from './session.ts'
import type { Turn } from './settings.ts'

/** What a queued message counts against the limits on octets. */
export const queuedSize = (message: Message): number => message.payload.length + message.topic.length

/** Whether the head is on its way to the sensor, so that it cannot be dropped. */
const headIsOpen = (session: Session): boolean =>
  session.outstanding?.kind === 'publish' || session.outstanding?.kind === 'register'

/**
 * Appends a message, after making room: the oldest of QoS 0 goes first, then the oldest of all. Where no room can be
 * made, the message itself is dropped.
 */
export function enqueue(session: Session, message: Message, turn: Turn): void {
  while (isFull(session, queuedSize(message), turn)) {
    const victim = findVictim(session)
    if (victim === undefined) return drop(session, 'queue-full', turn)
    remove(session, victim, turn)
    drop(session, 'queue-full', turn)
  }
  const queued: QueuedMessage = {
    id: session.nextMessage++,
    topic: message.topic,
    payload: message.payload,
    qos: message.qos,
    retain: message.retain,
    expiresAt: message.expiresAt,
    at: turn.now,
    msgId: 0,
    repaired: false,
  }
  session.queue.push(queued)
  count(session, turn, 1, queuedSize(queued))
  if (queued.qos > 0) turn.out.push({ type: 'keepMessage', session, message: queued })
}

function isFull(session: Session, more: number, { env }: Turn): boolean {
  const { limits } = env.settings
  return (
    session.queue.length >= limits.queuedMessages ||
    session.queuedOctets + more > limits.queuedOctets ||
    env.totals.queuedMessages >= limits.totalQueuedMessages ||
    env.totals.queuedOctets + more > limits.totalQueuedOctets
  )
}

function findVictim(session: Session): QueuedMessage | undefined {
  const first = headIsOpen(session) ? 1 : 0
  return session.queue.find((message, i) => i >= first && message.qos === 0) ?? session.queue[first]
}

function count(session: Session, { env }: Turn, messages: number, octets: number): void {
  session.queuedOctets += octets
  env.totals.queuedMessages += messages
  env.totals.queuedOctets += octets
}

/** Takes a message out of the queue, and out of the store. */
export function remove(session: Session, message: QueuedMessage, turn: Turn): void {
  if (session.queue[0] === message) session.queue.shift()
  else session.queue.splice(session.queue.indexOf(message), 1)
  count(session, turn, -1, -queuedSize(message))
  if (message.qos > 0) turn.out.push({ type: 'dropMessage', session, message })
}

/** Drops every queued message that `which` names. */
export function removeAll(
  session: Session,
  which: (message: QueuedMessage) => boolean,
  reason: DropReason,
  turn: Turn,
): void {
  for (const message of session.queue.filter(which)) {
    remove(session, message, turn)
    drop(session, reason, turn)
  }
}

/** Empties the queue without counting drops: it was asked for. The head's answer is not waited for any more. */
export function clearQueue(session: Session, turn: Turn): void {
  if (headIsOpen(session)) session.outstanding = undefined
  while (session.queue[0] !== undefined) remove(session, session.queue[0], turn)
}
