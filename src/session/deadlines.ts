// All deadlines of a session, as one table: when each is due, and what follows. Numbers, not timer objects: the shell asks for
// the nearest, and says when it has passed.

import { ReturnCode } from '../codec/v1/messages.ts'
import { graceEnd, isHeldBack, onReconnectDue } from './broker/link.ts'
import { nextRequestDeadline, onRequestDeadlines } from './broker/subscribe.ts'
import { endWatch, watchEnd } from './broker/suspicion.ts'
import { repeatRequest } from './downlink/ask.ts'
import { giveUpDelivery } from './downlink/give-up.ts'
import type { Outstanding } from './downlink/outstanding.ts'
import { takeOverOwed } from './downlink/owed.ts'
import { nextWithheldDeadline, releaseWithheld } from './downlink/withhold.ts'
import type { Timers } from './policy.ts'
import type { Session } from './session.ts'
import { abandonSetup, refuseConnect, resumeAccepted } from './setup/connect.ts'
import { giveUpSession, loseSensor } from './setup/disconnect.ts'
import { askIfThere, nextSilenceDeadline, silenceDeadline } from './setup/keep-alive.ts'
import { failWillUpdate } from './setup/will-update.ts'
import { isAskedAgain, isEnded, isListening } from './states.ts'
import { enter, type Turn } from './turn.ts'
import {
  expireDeadLetters,
  nextDeadLetterExpiry,
  nextResending,
  resendDeadLetters,
} from './uplink/dead-letters.ts'
import { nextUplinkDeadline, onUplinkDeadlines } from './uplink/publish.ts'
import { clearSpool, nextSpoolAttempt } from './uplink/spool.ts'

const never = Number.POSITIVE_INFINITY

interface Deadline {
  /** monotonic milliseconds; Infinity: nothing is due */
  at(session: Session, timers: Timers): number
  /** what follows once that time has passed; `at` is later then, or the session has ended */
  pass(session: Session, turn: Turn): void
}

/** The pause before the next attempt to connect, or the time after which earlier failures are forgotten. */
const reconnect: Deadline = {
  at: (session) => (isHeldBack(session) ? never : session.link.retryAt),
  pass: onReconnectDue,
}

/** A QoS 0 publish that is watched has proved harmless: the next one is sent at the end of the turn. */
const watch: Deadline = { at: watchEnd, pass: endWatch }

/** A stored publish that the broker could not take; it is sent again at the end of the turn. */
const spool: Deadline = { at: nextSpoolAttempt, pass: () => {} }

/** Dead letters too old to be of use; of a sensor that is gone, its session may follow them. */
const deadLetters: Deadline = { at: nextDeadLetterExpiry, pass: expireDeadLetters }

/** Dead letters that are to be sent again, and are read first. */
const resending: Deadline = { at: nextResending, pass: resendDeadLetters }

/** Of a sensor that is there, or in the middle of a setup. The first that ends the session is the last. */
const ofPresent: readonly Deadline[] = [
  {
    at: (session, { inactivity }) => nextSilenceDeadline(session, inactivity),
    pass(session, turn) {
      const isOver = silenceDeadline(session, turn.env.settings.timers.inactivity) <= turn.now
      if (!isOver) askIfThere(session, turn)
      else loseSensor(session, session.state === 'asleep' ? 'slept too long' : 'keep-alive passed', turn)
    },
  },
  {
    at: ({ setup }) => setup.deadline,
    pass: (session, turn) =>
      refuseConnect(session, ReturnCode.congestion, 'the broker did not answer in time', turn), // [SN-MAP-6]
  },
  {
    // sleeping sensors learn of it when they wake
    at: (session, { grace }) => (isListening(session) ? graceEnd(session, grace) : never),
    pass: (session, turn) => {
      const why = session.link.awaitsSensor
        ? 'the broker closed its connection, and it has not spoken since'
        : 'without a broker connection for longer than broker.grace'
      giveUpSession(session, why, turn)
    },
  },
  reconnect,
  {
    // due until it was dealt with, also if something else happens in between
    at: (session) =>
      isListening(session) && session.downlink.queue.length > 0
        ? (session.downlink.holdUntil ?? never)
        : never,
    pass: ({ downlink }) => {
      downlink.holdUntil = undefined
    },
  },
  {
    // no more messages in this awake period; what is under way may end
    at: ({ state, downlink: { awake } }) =>
      state === 'awake' && awake !== undefined && !awake.over ? awake.until : never,
    pass: ({ downlink: { awake } }) => {
      if (awake !== undefined) awake.over = true
    },
  },
  {
    at: ({ downlink: { outstanding, paused } }) => (paused ? never : (outstanding?.deadline ?? never)),
    pass: onSilentSensor,
  },
  // a message on its way that the sensor takes its time with
  { at: ({ downlink: { owed } }) => owed?.until ?? never, pass: takeOverOwed },
  { at: nextWithheldDeadline, pass: releaseWithheld },
  { at: nextUplinkDeadline, pass: onUplinkDeadlines },
  spool,
  watch,
  deadLetters,
  resending,
  { at: nextRequestDeadline, pass: onRequestDeadlines },
  {
    at: ({ setup: { willUpdate } }) => willUpdate?.deadline ?? never,
    pass: (session, turn) => void failWillUpdate(session, ReturnCode.congestion, turn),
  },
]

/** Of a sensor that is gone. */
const ofEnded: readonly Deadline[] = [
  reconnect,
  spool,
  watch,
  deadLetters,
  resending,
  { at: nextWithheldDeadline, pass: releaseWithheld },
  {
    // a stored session that nobody came back for [AMB-34]; dead letters wait for a person
    at: ({ endedAt, uplink }, { keepSessions }) => (uplink.dead.size > 0 ? never : endedAt + keepSessions),
    pass(session, turn) {
      session.established = false
      session.forgotten = 'expired'
      clearSpool(session, turn)
      enter(session, 'disconnected', 'not seen for too long', turn)
    },
  },
]

const deadlinesOf = (session: Session): readonly Deadline[] => (isEnded(session) ? ofEnded : ofPresent)

/** The nearest time at which something is due, monotonic milliseconds; Infinity if nothing is. */
export function nextDeadline(session: Session, { env }: Turn): number {
  const { timers } = env.settings
  let nearest = never
  for (const { at } of deadlinesOf(session)) {
    const time = at(session, timers)
    if (time < nearest) nearest = time
  }
  return nearest
}

/** Does all that is due, until something of it ends the session. */
export function onDeadline(session: Session, turn: Turn): void {
  const deadlines = deadlinesOf(session)
  for (const { at, pass } of deadlines) {
    if (at(session, turn.env.settings.timers) > turn.now) continue
    pass(session, turn)
    if (deadlinesOf(session) !== deadlines) return
  }
}

/** T_retry has passed without an answer: the request is repeated N_retry times [6.13]. */
function onSilentSensor(session: Session, turn: Turn): void {
  const { outstanding } = session.downlink
  if (outstanding === undefined) return
  if (outstanding.tries >= turn.env.settings.timers.nRetry) return giveUpRequest(session, outstanding, turn)
  outstanding.tries += 1
  repeatRequest(session, outstanding, turn)
}

/** The sensor has not answered any of the 1 + N_retry transmissions [SN-CONN-15, SN-SLP-10, AMB-26]. */
function giveUpRequest(session: Session, outstanding: Outstanding, turn: Turn): void {
  const { type } = outstanding.packet
  if (type !== 'willtopicreq' && type !== 'willmsgreq') return giveUpDelivery(session, outstanding, turn)
  session.downlink.outstanding = undefined
  if (isAskedAgain(session))
    resumeAccepted(session, turn) // its silence is judged as that of any other
  else abandonSetup(session, 'no answer to the will request', turn)
}
