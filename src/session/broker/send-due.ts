// Sends what waits for the broker connection: subscriptions that it has to know again, then requests, then publishes; one at a
// time as long as it is not known which of them the broker hangs up at.

import type { Session } from '../session.ts'
import { type Turn, takeToken } from '../turn.ts'
import { sendDueReleases, sendDueUplinks } from '../uplink/forward.ts'
import { sendDueRequests } from './subscribe.ts'
import { isUnderWay, noteSent, settleSuspicion } from './suspicion.ts'

/** At the end of each turn; the connection may be there or not. */
export function sendDueToBroker(session: Session, turn: Turn): void {
  const { link } = session
  if (link.state !== 'up') return
  if (link.hangUps.suspicion !== undefined) {
    settleSuspicion(session, turn.now)
    if (link.hangUps.suspicion !== undefined) return sendOne(session, turn)
  }
  if (link.toRelease.length > 0) sendDueReleases(session, turn)
  if (link.toRestore.length > 0) restoreSubscriptions(session, turn, link.toRestore.length)
  if (session.subscribing.requests.size > 0) sendDueRequests(session, turn)
  sendDueUplinks(session, turn)
}

function sendOne(session: Session, turn: Turn): void {
  if (isUnderWay(session)) return
  if (session.link.toRelease.length > 0 && sendDueReleases(session, turn, 1)) return
  if (session.link.toRestore.length > 0) return restoreSubscriptions(session, turn, 1)
  if (!sendDueRequests(session, turn, 1)) sendDueUplinks(session, turn, 1)
}

/** Gives the broker subscriptions again that the gateway remembers [SN-MAP-3]. */
function restoreSubscriptions(session: Session, turn: Turn, most: number): void {
  const { link, subscriptions } = session
  const filters = link.toRestore.slice(0, most)
  link.toRestore = link.toRestore.slice(most)
  noteSent(session, turn)
  for (const filter of filters) {
    const subscription = subscriptions.get(filter)
    if (subscription === undefined) continue
    const token = takeToken(session, false, turn)
    link.restoring.set(token, filter)
    turn.out.push({ type: 'subscribe', session, token, filter, qos: subscription.qos, replay: false })
  }
}
