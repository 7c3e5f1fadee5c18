// All sessions: which one a message belongs to, by address and by ClientId; strangers, takeovers, moved addresses [5.3.1, 6.12].

import { type Connect, type Packet, type Pingreq, type Publish, ReturnCode } from '../codec/v1/messages.ts'
import { isClientId, matches, octets } from '../mqtt-topics.ts'
import { wakeAt } from '../session/deadlines.ts'
import { suspendDelivery } from '../session/downlink/deliver.ts'
import { clearQueue } from '../session/downlink/queue.ts'
import type { DropReason, Event, Peer, PeerKey } from '../session/events.ts'
import { handle } from '../session/handle.ts'
import { sourceOf } from '../session/peers.ts'
import type { Turn } from '../session/policy.ts'
import { createSession, isEnded, type Session } from '../session/session.ts'
import { abandonSetup } from '../session/setup/connect.ts'
import { lose } from '../session/setup/sleep.ts'
import { fromGateways, verdict } from '../session/states.ts'
import { topicOf } from '../session/uplink/publish.ts'
import { owesBroker } from '../session/uplink/spool.ts'
import { forgetInflight } from '../session/uplink/uplinks.ts'
import { noteDeadline } from './due.ts'
import { allow, createThrottle, type Throttle } from './throttle.ts'

export interface Sessions {
  readonly byPeer: Map<PeerKey, Session>
  readonly byClientId: Map<string, Session>
  /** nothing of any session is due before this time */
  nextAt: number
  /** rates per source, by what they limit */
  readonly rates: Readonly<Record<'connect' | 'reply' | 'anonymous' | 'refusal', Throttle>>
}

export const createSessions = (): Sessions => ({
  byPeer: new Map(),
  byClientId: new Map(),
  nextAt: Number.POSITIVE_INFINITY,
  rates: {
    connect: createThrottle(),
    reply: createThrottle(),
    anonymous: createThrottle(),
    refusal: createThrottle(),
  },
})

const isConnected = (session: Session | undefined): boolean =>
  session !== undefined && verdict(session.state, 'publish') === 'handle'

/** A decoded message from an address: finds its session, or deals with a stranger. */
export function receive(sessions: Sessions, packet: Packet, peer: Peer, turn: Turn): void {
  const known = sessions.byPeer.get(peer.key)
  if (packet.type === 'searchgw') return onSearchgw(sessions, packet.radius, peer, turn)
  if (known !== undefined) known.heardAt = turn.now // any decodable message counts [SN-KA-2]
  if (fromGateways.has(packet.type)) return discard('wrong-direction', known, turn)
  if (packet.type === 'connect') return onConnect(sessions, packet, peer, turn)
  if (packet.type === 'pingreq' && packet.clientId !== null)
    return onNamedPingreq(sessions, packet, peer, turn)
  if (packet.type === 'publish' && packet.qos === -1 && !isConnected(known)) {
    return onUnconnectedPublish(sessions, packet, peer, turn)
  }
  if (known === undefined) return onStranger(sessions, packet, peer, turn)
  dispatch(sessions, known, { type: 'packet', packet, peer }, turn)
}

/** Hands an event to a session, and clears up when that ended it. */
export function dispatch(sessions: Sessions, session: Session, event: Event, turn: Turn): void {
  handle(session, event, turn)
  if (isEnded(session)) settle(sessions, session, turn)
  noteDeadline(sessions, session)
}

/** A session that ended loses its address [SN-STA-3]; it is kept only if the sensor asked for that [SN-SESS-6]. */
function settle(sessions: Sessions, session: Session, turn: Turn): void {
  if (session.peer !== undefined) {
    unbind(sessions, session)
    rest(session, turn)
    const isKept = !session.cleanSession || owesBroker(session)
    if (isKept && session.established) turn.out.push({ type: 'save', session })
  }
  if (owesBroker(session)) return // kept until the broker has heard it all
  if (session.cleanSession || !session.established) {
    clearQueue(session, turn)
    if (sessions.byClientId.get(session.clientId) === session) sessions.byClientId.delete(session.clientId)
    turn.out.push({ type: 'forget', session })
  }
}

/** What a connection leaves behind is forgotten, what belongs to the session waits for the next one. */
export function rest(session: Session, turn: Turn): void {
  session.endedAt = turn.now
  session.requests.clear()
  suspendDelivery(session)
  forgetInflight(session, turn)
  session.wakeAt = wakeAt(session, turn)
}

/** Lets go of a session that a fault has made unusable; what is stored of it stays stored. */
export function evict(sessions: Sessions, session: Session, { env, out }: Turn): void {
  out.push({ type: 'close', session, publishWill: false })
  unbind(sessions, session)
  if (sessions.byClientId.get(session.clientId) === session) sessions.byClientId.delete(session.clientId)
  env.totals.queuedMessages -= session.queue.length
  env.totals.queuedOctets -= session.queuedOctets
}

function unbind(sessions: Sessions, session: Session): void {
  if (session.peer !== undefined && sessions.byPeer.get(session.peer.key) === session) {
    sessions.byPeer.delete(session.peer.key)
  }
  session.peer = undefined
}

export function bind(sessions: Sessions, session: Session, peer: Peer): void {
  if (session.peer?.key !== peer.key) unbind(sessions, session)
  session.peer = peer
  sessions.byPeer.set(peer.key, session)
}

function discard(reason: DropReason, session: Session | undefined, turn: Turn): void {
  turn.out.push({ type: 'drop', reason, session })
}

/** Answers to senders without a connection are limited per address, and per address and port [SN-UNK-3, SN-ROB-3]. */
export function mayReply(sessions: Sessions, peer: Peer, burst: number, { env, now }: Turn): boolean {
  const { repliesPerAddress, repliesPerPeer } = env.settings.limits
  const { reply } = sessions.rates
  return (
    allow(reply, `peer ${peer.key}`, repliesPerPeer, burst, now) &&
    allow(reply, sourceOf(peer), repliesPerAddress, repliesPerAddress, now)
  )
}

/** Any sender may search a gateway, in any state [SN-SGW-1, -4]. */
function onSearchgw(sessions: Sessions, radius: number, peer: Peer, turn: Turn): void {
  if (!mayReply(sessions, peer, 3, turn)) return discard('rate-limited', undefined, turn)
  turn.out.push({ type: 'gwinfo', peer, radius })
}

/** A request without a connection is told to connect; anything else is met with silence [SN-UNK-1, -2]. */
function onStranger(sessions: Sessions, packet: Packet, peer: Peer, turn: Turn): void {
  const judged = verdict('disconnected', packet.type)
  if (judged === 'refuse' || packet.type === 'disconnect') refuse(sessions, packet, peer, turn)
  else discard(judged === 'unasked' ? 'unasked' : 'out-of-state', undefined, turn)
}

function refuse(sessions: Sessions, packet: Packet, peer: Peer, turn: Turn): void {
  if (packet.type !== 'disconnect') discard('unknown-sender', undefined, turn)
  const burst = packet.type === 'disconnect' ? 1 : 3 // two gateways must not bounce DISCONNECTs [SN-DISC-4]
  if (!mayReply(sessions, peer, burst, turn)) return discard('rate-limited', undefined, turn)
  turn.out.push({ type: 'send', peer, packet: { type: 'disconnect', duration: null } })
}

/** QoS -1 needs no connection, and never gets an answer [6.8]. */
function onUnconnectedPublish(sessions: Sessions, packet: Publish, peer: Peer, turn: Turn): void {
  const { predefined, qosMinusOne } = turn.env.settings
  const topic = packet.topicIdType === 'normal' ? undefined : topicOf(packet, undefined, predefined)
  if (!qosMinusOne.enabled) return discard('not-allowed', undefined, turn)
  if (typeof topic !== 'string') return discard('invalid-topic', undefined, turn)
  if (!qosMinusOne.topics.some((filter) => matches(filter, topic)))
    return discard('not-allowed', undefined, turn)
  const { perAddress } = qosMinusOne
  if (!allow(sessions.rates.anonymous, sourceOf(peer), perAddress, perAddress, turn.now)) {
    return discard('rate-limited', undefined, turn) // [SN-QM1-9]
  }
  const retain = packet.retain && qosMinusOne.retain // [SN-QM1-6]
  turn.out.push({ type: 'publishAnonymous', topic, payload: packet.data, retain })
}

/** CONNECT decides by ClientId which session this is, whatever the address was before [SN-CONN-11, -12]. */
function onConnect(sessions: Sessions, packet: Connect, peer: Peer, turn: Turn): void {
  const { limits } = turn.env.settings
  if (
    !allow(
      sessions.rates.connect,
      sourceOf(peer),
      limits.connectsPerAddress,
      limits.connectsPerAddress,
      turn.now,
    )
  ) {
    return discard('rate-limited', undefined, turn)
  }
  const reject = (returnCode: ReturnCode) =>
    turn.out.push({ type: 'send', peer, packet: { type: 'connack', returnCode } })
  const { clientId } = packet
  if (packet.protocolId !== 1 || !isClientId(clientId) || octets(clientId) > limits.clientIdLength) {
    reject(ReturnCode.notSupported) // [SN-CONN-5, -6, -8, SN-FLD-3]
    return
  }
  const existing = sessions.byClientId.get(clientId)
  const policy = existing?.policy ?? turn.env.policyFor(clientId)
  if (policy.denied || !policy.mayComeFrom(peer.address)) {
    reject(ReturnCode.notSupported) // [SN-ROB-2]
    return
  }
  displace(sessions, clientId, peer.key, turn)
  if (existing === undefined && sessions.byClientId.size >= limits.sensors) {
    reject(ReturnCode.congestion) // [SN-CONN-19]
    return
  }
  const session = existing ?? createSession(clientId, turn.env)
  if (existing === undefined) sessions.byClientId.set(clientId, session)
  if (session.peer !== undefined && session.peer.key !== peer.key && session.state !== 'asleep') {
    turn.out.push({ type: 'send', peer: session.peer, packet: { type: 'disconnect', duration: null } }) // [SN-CONN-11]
  }
  const moved = session.peer?.key !== peer.key
  bind(sessions, session, peer)
  if (moved) session.fresh = false // from another address it is no repetition
  dispatch(sessions, session, { type: 'packet', packet, peer }, turn)
}

/** Another sensor was at this address: it is not there any more, and counts as lost [SN-CONN-12]. */
export function displace(sessions: Sessions, clientId: string, at: PeerKey, turn: Turn): void {
  const other = sessions.byPeer.get(at)
  if (other === undefined || other.clientId === clientId) return
  const why = `its address now belongs to ${JSON.stringify(clientId)}`
  if (isConnected(other)) lose(other, why, turn)
  else abandonSetup(other, why, turn)
  settle(sessions, other, turn)
  noteDeadline(sessions, other)
}

/** PINGREQ with a ClientId: the ClientId decides, and may have moved to this address [SN-SLP-16, -17, AMB-21]. */
function onNamedPingreq(sessions: Sessions, packet: Pingreq, peer: Peer, turn: Turn): void {
  const session = sessions.byClientId.get(packet.clientId ?? '')
  if (session?.peer === undefined) return refuse(sessions, packet, peer, turn) // [SN-KA-7]
  if (session.peer.key !== peer.key) {
    if (!isConnected(session) || !mayMove(session, session.peer, peer))
      return refuse(sessions, packet, peer, turn)
    displace(sessions, session.clientId, peer.key, turn)
    bind(sessions, session, peer)
    turn.out.push({ type: 'saveProgress', session, lazy: true })
    suspendDelivery(session) // what is open is sent anew, to where the sensor is now
  }
  dispatch(sessions, session, { type: 'packet', packet, peer }, turn)
}

function mayMove({ policy }: Session, from: Peer, to: Peer): boolean {
  const { roaming } = to.listener
  if (roaming === 'off' || !policy.mayComeFrom(to.address)) return false
  if (roaming === 'any') return true
  return from.address === to.address && sourceOf(from) === sourceOf(to)
}
