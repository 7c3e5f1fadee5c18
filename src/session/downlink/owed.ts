// A message of QoS 1 to a sensor that answers at once is not stored: the broker has it until the sensor does, and is told then.

import type { QueuedMessage } from '../message.ts'
import type { Session } from '../session.ts'
import { isListening } from '../states.ts'
import type { Turn } from '../turn.ts'

/** Milliseconds in which most sensors answer. What they do not is taken over: stored, and acknowledged to the broker. */
const ANSWER_TIME = 250

/** Leaves a message to the broker while it is on its way to the sensor. */
export function oweMessage({ downlink }: Session, message: QueuedMessage, ack: number, { now }: Turn): void {
  downlink.owed = { message, ack, until: now + ANSWER_TIME }
}

/**
 * Takes over what is on its way: stored first, acknowledged then. Acknowledgements keep the order of messages [MQTT 4.6], so
 * this comes before the next one is acknowledged.
 */
export function takeOverOwed(session: Session, turn: Turn): void {
  const { owed } = session.downlink
  if (owed === undefined) return
  session.downlink.owed = undefined
  turn.out.push({ type: 'keepMessage', session, message: owed.message })
  turn.out.push({ type: 'acknowledge', session, ack: owed.ack })
}

/** At the end of a turn: a sensor that does not listen any more does not answer either. */
export function takeOverUnheard(session: Session, turn: Turn): void {
  if (session.downlink.owed !== undefined && !isListening(session)) takeOverOwed(session, turn)
}

/** The message is done with, stored nowhere: the broker need not keep it. False if it is another one. */
export function settleOwed(session: Session, message: QueuedMessage, turn: Turn): boolean {
  const { owed } = session.downlink
  if (owed?.message !== message) return false
  session.downlink.owed = undefined
  turn.out.push({ type: 'acknowledge', session, ack: owed.ack })
  return true
}
