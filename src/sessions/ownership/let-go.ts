// Lets go of sessions with which somebody else goes on, from the store: they leave the table as they are. Pure.

import type { Env } from '../../session/policy.ts'
import type { Session } from '../../session/session.ts'
import { countSource, removeSession, type Sessions } from '../table.ts'

/**
 * How a gateway lets go of sessions. `closing`: everything is stored, and connections to the broker end as they do when a gateway stops;
 * sensors are not told. `deposed`: somebody else has taken them, so that nothing may be said or stored any more.
 */
export type Leaving = 'closing' | 'deposed'

/** Takes a session out of the table. It is not changed by that: a store in memory has nothing else of it. */
export function letGo(sessions: Sessions, session: Session, env: Env): void {
  const { peer, source } = session
  if (peer !== undefined && sessions.byPeer.get(peer.key) === session) sessions.byPeer.delete(peer.key)
  countSource(sessions, session, undefined)
  session.source = source
  removeSession(sessions, session)
  subtractTotals(session, env)
}

/** What waits of it does not count any more against the limits of all sensors together. */
export function subtractTotals({ downlink, uplink }: Session, env: Env): void {
  env.totals.queuedMessages -= downlink.queue.length
  env.totals.queuedOctets -= downlink.octets
  env.spooled.messages -= uplink.spooled.messages
  env.spooled.octets -= uplink.spooled.octets
  env.deadLetters.messages -= uplink.dead.size
  env.deadLetters.octets -= uplink.deadOctets
}

/** CONNECTs of these sensors that wait for an answer whether they may be here: they will be repeated where they are served. */
export function dropAdmitting({ admitting }: Sessions, isConcerned: (clientId: string) => boolean): void {
  for (const [key, { packet }] of admitting) if (isConcerned(packet.clientId)) admitting.delete(key)
}
