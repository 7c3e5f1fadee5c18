// What follows when the sensor answered none of the 1 + N_retry transmissions of a message: a sensor that is there does not take it,
// so others must not wait for it; one that is silent may not have heard it, so it is kept [6.13, 6.14].

import type { Session } from '../session.ts'
import { fallAsleep, finishAwake } from '../setup/sleep.ts'
import { learn } from '../topics/registry.ts'
import { dropUndeliverable, type Turn } from '../turn.ts'
import { dropTopic } from './deliver.ts'
import type { Outstanding } from './outstanding.ts'
import { postponeHead, removeMessage } from './queue.ts'

/** Awake periods in which a message is tried; in one of them the sensor may not have heard it. */
const WAKINGS = 2

/** Gives up a REGISTER, PUBLISH or PUBREL that was never answered [SN-SLP-10, AMB-26]. */
export function giveUpDelivery(session: Session, outstanding: Outstanding, turn: Turn): void {
  const hasSpoken = session.heardAt > outstanding.since
  if (session.state === 'awake') return giveUpAwake(session, outstanding, hasSpoken, turn)
  const { type } = outstanding.packet
  if (type !== 'register' && !hasSpoken) {
    session.downlink.paused = true
    return
  }
  session.downlink.outstanding = undefined
  setAside(session, outstanding, turn)
}

/**
 * In this awake period nothing more comes. The message is tried once more at the next waking, behind those of other topics; that
 * PINGREQ then shows that the sensor is there. Whoever is there gets PINGRESP.
 */
function giveUpAwake(session: Session, outstanding: Outstanding, hasSpoken: boolean, turn: Turn): void {
  const { downlink } = session
  const { packet } = outstanding
  let wakings: number
  if (packet.type === 'pubrel') wakings = downlink.unreleased += 1
  else {
    const [message] = downlink.queue
    wakings = (message?.unanswered ?? 0) + 1
    if (message !== undefined) message.unanswered = wakings
  }
  downlink.outstanding = undefined
  if (wakings >= WAKINGS) setAside(session, outstanding, turn)
  else if (packet.type !== 'pubrel') postponeHead(session)
  if (hasSpoken || wakings >= WAKINGS) finishAwake(session, turn)
  else fallAsleep(session, 'no answer while awake', turn)
}

/** What was asked is not asked again, and what is behind it is sent. */
function setAside(session: Session, { packet }: Outstanding, turn: Turn): void {
  const { downlink } = session
  const [message] = downlink.queue
  if (packet.type === 'register') {
    // some clients never answer REGISTER
    if (hasSubscribed(session, packet.topicId)) learn(session.topics, packet.topicId)
    else dropTopic(session, packet.topicId, 'unregistered', turn)
  } else if (packet.type === 'pubrel') {
    downlink.releasing = undefined
    downlink.unreleased = 0
    dropUndeliverable(session, '(release of a message that it has)', turn)
    turn.out.push({ type: 'saveProgress', session, lazy: false })
  } else if (message !== undefined) {
    removeMessage(session, message, turn)
    dropUndeliverable(session, message.topic, turn)
  }
}

/** Whether a SUBACK told the sensor this id, so that it needs no REGISTER to know it [SN-SUB-1]. */
function hasSubscribed({ subscriptions }: Session, topicId: number): boolean {
  for (const subscription of subscriptions.values())
    if (subscription.topicIdType === 'normal' && subscription.topicId === topicId) return true
  return false
}
