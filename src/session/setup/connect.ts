// CONNECT and the will dialogue: from the first message to CONNACK [6.2, 6.3].

import { type Connect, ReturnCode, type Willmsg, type Willtopic } from '../../codec/v1/messages.ts'
import { isTopicName } from '../../mqtt-topics.ts'
import { closeLink, graceIsOver, openLink, resetLink } from '../broker/link.ts'
import { askSensor, stopWaiting } from '../downlink/ask.ts'
import { clearQueue, postponeUnanswered } from '../downlink/queue.ts'
import { type RefusalReason, usualReason } from '../refusal.ts'
import type { Session } from '../session.ts'
import { isAskedAgain } from '../states.ts'
import { permitsTopic } from '../topics/permission.ts'
import { clearTopics } from '../topics/registry.ts'
import { drop, enter, refuse, send, type Turn } from '../turn.ts'
import { forgetInflight, forgetUplinks } from '../uplink/uplinks.ts'

/** How long the repetition of a CONNECT or SUBSCRIBE counts as one: (1 + N_retry) x T_retry of a patient client. */
export const REPETITION = 75_000

/** CONNECT of this session's sensor, from an address already bound to it. */
export function onConnect(session: Session, packet: Connect, turn: Turn): void {
  const { state } = session
  const sleeping = state === 'asleep' || state === 'awake'
  if (isRepeatedConnect(session, packet, turn.now)) {
    if (state === 'active') send(session, { type: 'connack', returnCode: ReturnCode.accepted }, turn)
    return // while connecting, the one answer will come [SN-CONN-9]
  }
  const strict = !sleeping || session.policy.asleepConnect === 'strict' // [AMB-1]
  const cleanSession = packet.cleanSession && strict
  const isUnheard = state === 'active' ? session.setup.fresh : isAskedAgain(session)
  const mayBeRepeated = isUnheard && isSameConnect(session, packet, turn.now)
  if (strict) session.cleanSession = cleanSession
  const { setup, downlink, subscribing } = session
  setup.connect = { will: packet.will, cleanSession: packet.cleanSession, at: turn.now }
  session.keepAlive = packet.duration
  setup.fresh = false
  setup.repeated = mayBeRepeated
  setup.deadline = Number.POSITIVE_INFINITY // of a setup that this one replaces
  setup.willUpdate = undefined
  postponeUnanswered(session)
  stopWaiting(session)
  downlink.awake = undefined
  downlink.holdUntil = undefined
  subscribing.requests.clear() // the sensor repeats what it still wants
  subscribing.lastAnswer = undefined
  session.topics.confirmed.clear() // it may have rebooted [SN-SESS-9]
  if (sleeping && !packet.will && !cleanSession && !graceIsOver(session, turn)) {
    acceptConnect(session, 'woke up by CONNECT', turn) // nothing changes at the broker [SN-SLP-12]
    return
  }
  if (cleanSession && !mayBeRepeated) wipeSession(session, turn) // nothing is new since the first one
  if (packet.will) {
    enter(session, 'willtopic', 'CONNECT with will', turn)
    askSensor(session, { type: 'willtopicreq' }, turn)
  } else connectUpstream(session, turn)
}

/** The same CONNECT again: the answer to the first was lost, or is still to come [SN-CONN-9, SN-CONN-10]. */
export function isRepeatedConnect(session: Session, packet: Connect, now: number): boolean {
  if (packet.will || !isSameConnect(session, packet, now)) return false
  return session.state === 'connecting' || (session.state === 'active' && session.setup.fresh)
}

function isSameConnect({ setup, keepAlive }: Session, packet: Connect, now: number): boolean {
  const last = setup.connect
  if (last === undefined || last.will !== packet.will || last.cleanSession !== packet.cleanSession)
    return false
  return keepAlive === packet.duration && now - last.at <= REPETITION
}

/**
 * The sensor goes on as one that is connected, while its will is asked for again: its CONNECT was a repetition that it sent before
 * it heard the CONNACK, and it will not answer any more [SN-CONN-16].
 */
export function resumeAccepted(session: Session, turn: Turn): void {
  session.setup.repeated = false
  stopWaiting(session)
  enter(session, 'active', 'CONNECT was a repetition', turn)
}

/** CleanSession=1: subscriptions, will, topic ids, messages and transactions go [SN-SESS-1, -2, -8]. */
function wipeSession(session: Session, turn: Turn): void {
  session.subscriptions.clear()
  session.will = { topic: undefined, message: undefined }
  clearTopics(session.topics)
  clearQueue(session, turn)
  session.downlink.releasing = undefined
  forgetUplinks(session, turn)
  if (session.link.state !== 'closed')
    closeLink(session, false, turn) // superseded: no will [SN-MAP-14]
  else resetLink(session)
}

export function onWilltopic(session: Session, packet: Willtopic, turn: Turn): void {
  if (packet.willTopic === null || packet.willTopic === '') {
    session.will = { topic: undefined, message: undefined } // [SN-WILL-2, -3]
    return connectUpstream(session, turn)
  }
  if (packet.qos === -1 || !isTopicName(packet.willTopic)) return refuseWill(session, 'will-impossible', turn)
  if (!permitsTopic(session.policy.publish, packet.willTopic))
    return refuseWill(session, 'topic-not-permitted', turn)
  session.setup.promptedTopic = { name: packet.willTopic, qos: packet.qos, retain: packet.retain }
  enter(session, 'willmsg', 'will topic given', turn)
  askSensor(session, { type: 'willmsgreq' }, turn) // also again for a repeated WILLTOPIC [SN-CONN-16]
}

function refuseWill(
  session: Session,
  reason: Extract<RefusalReason, 'will-impossible' | 'topic-not-permitted'>,
  turn: Turn,
): void {
  session.downlink.outstanding = undefined
  const why = reason === 'will-impossible' ? 'impossible will' : 'will with a topic that is not permitted'
  refuseConnect(session, ReturnCode.notSupported, why, turn, reason) // [SN-WILL-4]
}

export function onWillmsg(session: Session, packet: Willmsg, turn: Turn): void {
  if (session.state === 'active') {
    // repeated after the CONNACK was lost: some clients repeat their last message, not CONNECT [SN-CONN-16]
    if (session.setup.fresh && session.setup.connect?.will)
      send(session, { type: 'connack', returnCode: ReturnCode.accepted }, turn)
    else drop(session, 'unasked', turn)
    return
  }
  session.will = { topic: session.setup.promptedTopic, message: packet.willMsg }
  connectUpstream(session, turn)
}

/** The last step of every setup: the broker decides [SN-CONN-3]. */
function connectUpstream(session: Session, turn: Turn): void {
  session.downlink.outstanding = undefined
  if (session.cleanSession) forgetInflight(session, turn) // the broker forgets it too
  enter(session, 'connecting', 'CONNECT', turn)
  session.setup.deadline = turn.now + turn.env.settings.timers.connect
  session.setup.repeated = false
  openLink(session, turn)
}

/** Ends a setup well: CONNACK is the first thing the sensor gets, then what waited for it [SN-CONN-14]. */
export function acceptConnect(session: Session, why: string, turn: Turn): void {
  session.setup.deadline = Number.POSITIVE_INFINITY
  session.setup.fresh = true
  session.setup.repeated = false
  session.established = true
  session.heardAt = turn.now
  session.savedHeardAt = turn.now
  enter(session, 'active', why, turn)
  turn.out.push({ type: 'save', session })
  send(session, { type: 'connack', returnCode: ReturnCode.accepted }, turn)
}

/** Ends a setup badly: CONNACK with the reason, and the sensor is disconnected [SN-CONN-4]. */
export function refuseConnect(
  session: Session,
  returnCode: ReturnCode,
  why: string,
  turn: Turn,
  reason: RefusalReason = usualReason('connack', returnCode),
): void {
  refuse(session, { type: 'connack', returnCode }, reason, turn, why)
  abandonSetup(session, why, turn)
}

/** Ends a setup without a word [SN-CONN-15]. */
export function abandonSetup(session: Session, why: string, turn: Turn): void {
  session.setup.deadline = Number.POSITIVE_INFINITY
  session.setup.connect = undefined
  session.setup.repeated = false
  enter(session, 'disconnected', why, turn)
}
