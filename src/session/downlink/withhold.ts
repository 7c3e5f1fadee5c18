// Messages of QoS 1 and 2 that wait at the broker: their acknowledgement is withheld until the sensor's queue has room, so that
// the broker sends no more than its window, and loses nothing [AMB-28].

import type { Message, WithheldMessage } from '../message.ts'
import type { Session } from '../session.ts'
import { isListening } from '../states.ts'
import { drop, type Turn } from '../turn.ts'
import { enqueueMessage, hasRoomToFlow, queuedSize, supersede } from './queue.ts'

/** Messages withheld of one sensor. A broker sends fewer: MQTT 5 is told `receiveMaximum`, others have 10 to 32 by default. */
const MOST = 256

/** Whether the broker repeats a message, on one connection, that is withheld already. */
export const isWithheld = ({ downlink: { withheld } }: Session, ack: number): boolean =>
  withheld?.some((one) => one.ack === ack) === true

/**
 * Whether a message is to wait at the broker: a sensor that listens takes one after the other, and what the broker keeps meanwhile
 * is not dropped. Later messages do not overtake earlier ones. For a sleeping sensor its queue decides, and for a slow one that shares
 * its connection.
 */
export function mustWithhold(session: Session, message: Message, turn: Turn): boolean {
  if (message.qos === 0 || turn.now < session.downlink.slowUntil) return false
  if (session.downlink.withheld !== undefined) return true
  return isListening(session) && !hasRoomToFlow(session, message, turn)
}

/** Withholds the acknowledgement; false if more is withheld than may be, since this broker knows no bound. */
export function withholdMessage(session: Session, one: WithheldMessage, turn: Turn): boolean {
  const { downlink, policy } = session
  const { topic } = one.message
  if (policy.queueFor(topic).overflow === 'latest-per-topic') {
    supersede(session, topic, turn)
    supersedeWithheld(session, topic, turn)
  }
  const withheld = downlink.withheld ?? []
  let octets = queuedSize(one.message)
  for (const { message } of withheld) octets += queuedSize(message)
  const isTooMuch = withheld.length >= MOST || octets > turn.env.settings.limits.queuedOctets
  if (isTooMuch && withheld.length > 0) return false
  withheld.push(one)
  downlink.withheld = withheld
  return true
}

function supersedeWithheld(session: Session, topic: string, turn: Turn): void {
  const { downlink } = session
  for (const one of downlink.withheld ?? []) {
    if (one.message.topic !== topic) continue
    removeWithheld(session, one)
    acknowledgeMessage(session, one, turn)
    drop(session, 'superseded', turn)
  }
}

function removeWithheld({ downlink }: Session, one: WithheldMessage): void {
  const rest = downlink.withheld?.filter((other) => other !== one)
  downlink.withheld = rest?.length === 0 ? undefined : rest
}

/** Takes over what there is room for by now: stored first, acknowledged then. While the connection is away nothing is. */
export function takeWithheld(session: Session, turn: Turn): void {
  const { downlink, link } = session
  if (link.state !== 'up') return
  for (let one = downlink.withheld?.[0]; one !== undefined; one = downlink.withheld?.[0]) {
    if (!hasRoomToFlow(session, one.message, turn)) return
    if (!enqueueMessage(session, one.message, turn, one.at)) return
    removeWithheld(session, one)
    acknowledgeMessage(session, one, turn)
  }
}

/** Tells the broker that the gateway is responsible for a message from now on, and knows repetitions of it by the identifier. */
export function acknowledgeMessage(
  session: Session,
  { ack, packetId }: Pick<WithheldMessage, 'ack' | 'packetId'>,
  turn: Turn,
): void {
  if (packetId !== 0) {
    session.downlink.received.add(packetId)
    turn.out.push({ type: 'saveProgress', session, lazy: false })
  }
  if (ack !== undefined) turn.out.push({ type: 'acknowledge', session, ack })
}

/** How long a message may be withheld on a shared connection, where it holds up what the broker has for others, milliseconds. */
const PATIENCE = 1000

/** How long nothing is withheld then for a sensor that has not made room in that time, milliseconds. */
const SLOW = 600_000

/** When what is withheld has held up others for long enough; Infinity if it holds up nobody. */
export const nextWithheldDeadline = ({ link, downlink: { withheld } }: Session): number =>
  link.pool === undefined
    ? Number.POSITIVE_INFINITY
    : (withheld?.[0]?.at ?? Number.POSITIVE_INFINITY) + PATIENCE

/** The sensor is slow: its queue takes all of it, and its rules decide what is dropped. */
export function releaseWithheld(session: Session, turn: Turn): void {
  const { downlink } = session
  const { withheld = [] } = downlink
  downlink.withheld = undefined
  downlink.slowUntil = turn.now + SLOW
  for (const one of withheld) {
    if (!enqueueMessage(session, one.message, turn, one.at)) drop(session, 'queue-full', turn)
    acknowledgeMessage(session, one, turn)
  }
}

/** Acknowledges all that is withheld, and forgets it: the sensor does not want it any more. */
export function clearWithheld(session: Session, turn: Turn): void {
  const { withheld = [] } = session.downlink
  session.downlink.withheld = undefined
  for (const one of withheld) acknowledgeMessage(session, one, turn)
}

/** A new connection: a broker that has the session sends all of it again; one that has not leaves the only copies here. */
export function onWithheldReconnected({ downlink }: Session, sessionPresent: boolean): void {
  if (sessionPresent) downlink.withheld = undefined
  else downlink.withheld = downlink.withheld?.map((one) => ({ ...one, ack: undefined, packetId: 0 }))
}
