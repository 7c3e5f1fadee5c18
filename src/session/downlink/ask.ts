// What the gateway asked of the sensor and waits for: repeated after T_retry, N_retry times [6.13].

import type { Turn } from '../policy.ts'
import { type Outstanding, type Session, send } from '../session.ts'
import { abandonSetup } from '../setup/connect.ts'
import { fallAsleep } from '../setup/sleep.ts'
import { learn } from '../topics/registry.ts'
import { deliverNext, dropTopic, repeatDelivery } from './deliver.ts'

/** Sends a request of the gateway and waits for its answer. */
export function ask(
  session: Session,
  kind: Outstanding['kind'],
  msgId: number,
  topicId: number,
  turn: Turn,
): void {
  const deadline = turn.now + turn.env.settings.timers.tRetry
  session.outstanding = { kind, msgId, topicId, repeated: false, tries: 0, deadline }
  transmit(session, session.outstanding, turn, false)
}

/** Puts the request on the wire; the same octets every time, but for DUP of PUBLISH [SN-GPUB-13]. */
function transmit(session: Session, outstanding: Outstanding, turn: Turn, repeated = true): void {
  const { kind, msgId, topicId } = outstanding
  switch (kind) {
    case 'willtopicreq':
    case 'willmsgreq':
      return send(session, { type: kind }, turn, repeated)
    case 'pubrel':
      return send(session, { type: 'pubrel', msgId }, turn, repeated)
    case 'register': {
      const topicName = session.topics.byId.get(topicId) ?? ''
      return send(session, { type: 'register', topicId, msgId, topicName }, turn, repeated)
    }
    case 'publish':
      return repeatDelivery(session, outstanding, turn)
  }
}

/** T_retry has passed without an answer. */
export function onRetry(session: Session, turn: Turn): void {
  const { outstanding } = session
  if (outstanding === undefined) return
  const { tRetry, nRetry } = turn.env.settings.timers
  if (outstanding.tries < nRetry) {
    outstanding.tries += 1
    outstanding.deadline = turn.now + tRetry
    transmit(session, outstanding, turn)
  } else exhausted(session, outstanding, turn)
}

/** The sensor has not answered any of the 1 + N_retry transmissions [SN-CONN-15, SN-SLP-10, AMB-26]. */
function exhausted(session: Session, outstanding: Outstanding, turn: Turn): void {
  outstanding.deadline = Number.POSITIVE_INFINITY
  if (outstanding.kind === 'willtopicreq' || outstanding.kind === 'willmsgreq') {
    session.outstanding = undefined
    return abandonSetup(session, 'no answer to the will request', turn)
  }
  if (session.state === 'awake') return fallAsleep(session, 'no answer while awake', turn)
  if (outstanding.kind === 'register') {
    session.outstanding = undefined // some clients never answer REGISTER
    if (hasSubscribed(session, outstanding.topicId)) learn(session.topics, outstanding.topicId)
    else dropTopic(session, outstanding.topicId, 'unregistered', turn)
    return deliverNext(session, turn)
  }
  session.paused = true
}

/** Whether a SUBACK told the sensor this id, so that it needs no REGISTER to know it [SN-SUB-1]. */
function hasSubscribed({ topics, subscriptions }: Session, topicId: number): boolean {
  const subscription = subscriptions.get(topics.byId.get(topicId) ?? '')
  return subscription?.topicIdType === 'normal' && subscription.topicId === topicId
}

/** The sensor was silent and has spoken: what is still open is sent again. */
export function resume(session: Session, turn: Turn): void {
  session.paused = false
  const { outstanding, state } = session
  if (outstanding === undefined || (state !== 'active' && state !== 'awake')) return
  outstanding.tries = 0
  outstanding.deadline = turn.now + turn.env.settings.timers.tRetry
  transmit(session, outstanding, turn)
}
