// How much goes to an address that has not shown that it hears: the source of a datagram can be forged, and whoever is at that
// address must not be flooded with the broker's messages. An answer with a number that the gateway chose shows it [SN-ROB-3].

import type { Register } from '../../codec/v1/messages.ts'
import type { Session } from '../session.ts'
import type { Turn } from '../turn.ts'

/** octets of the headers of IPv4 and UDP */
const HEADERS = 28
/** Octets that may be sent for each one received: the factor by which a forged source could multiply its traffic. */
const FACTOR = 5
/** Octets of a message to the gateway, headers included, where its own length is not known: the shortest. */
const SHORTEST = HEADERS + 2
/** Wrong answers after which right ones prove nothing: there are 65,535 numbers to guess. */
const MOST_MISSES = 16
const MINUTE = 60_000

/** The sensor is at another address: all begins anew, but for what may be sent. */
export function restartValidation({ validation }: Session): void {
  validation.done = false
  validation.probe = undefined
}

/** It has answered with numbers that the gateway chose. */
export function noteProof({ validation }: Session): void {
  if (!validation.done && validation.misses < MOST_MISSES) validation.done = true
}

/** It has answered with numbers that fit nothing. */
export function noteMiss({ validation }: Session): void {
  if (!validation.done) validation.misses += 1
}

/** Something came from there: more may be sent, in proportion to that and to the time since, up to what a minute may have. */
export function earnCredit({ validation }: Session, { now, env }: Turn): void {
  if (validation.done) return
  const { unprovenOctets: most } = env.settings.limits
  const passed = Math.min(MINUTE, Math.max(0, now - validation.creditedAt))
  validation.creditedAt = now
  validation.credit = Math.min(most, validation.credit + FACTOR * SHORTEST + (most * passed) / MINUTE)
}

/** Whether a message of so many octets may be sent now; it is counted then. */
export function spendCredit({ validation }: Session, octets: number, { env }: Turn): boolean {
  if (validation.done) return true
  const { unprovenOctets: most } = env.settings.limits
  if (most === 0) return true
  const cost = octets + HEADERS
  if (cost > validation.credit && validation.credit < most) return false // one that is too long for all is let through
  validation.credit = Math.max(0, validation.credit - cost)
  return true
}

/**
 * A REGISTER of an id that the sensor knows, to which it will answer with two numbers that cannot be guessed; undefined if that
 * is not needed now. It is sent early, so that a sensor that only listens need not wait.
 */
export function probeFor(
  session: Session,
  topicId: number,
  topicName: string,
  turn: Turn,
): Register | undefined {
  const { validation } = session
  const { limits, timers } = turn.env.settings
  const { probe } = validation
  if (validation.done || validation.credit > limits.unprovenOctets * 0.75) return undefined
  if (probe !== undefined && turn.now - probe.sentAt < timers.tRetry) return undefined
  const msgId = probe?.topicId === topicId ? probe.msgId : 1 + Math.floor(turn.env.random() * 0xfffe)
  validation.probe = { topicId, msgId, sentAt: turn.now }
  return { type: 'register', topicId, msgId, topicName }
}

/** Whether a REGACK answers the probe, whatever it says. */
export const answersProbe = (
  { validation: { probe } }: Session,
  answer: { readonly topicId: number; readonly msgId: number },
): boolean => probe !== undefined && probe.topicId === answer.topicId && probe.msgId === answer.msgId
