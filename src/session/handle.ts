// The one door of a session: what happens to it comes in as an event, what is to be done goes out as effects [6]. Pure.

import type { Packet, PacketType } from '../codec/v1/messages.ts'
import { closeUnlessNeeded, hurry, onClosed, onCongestion, onConnected, onRefused } from './broker/link.ts'
import { onSubscribe, onSubscribed, onUnsubscribe, onUnsubscribed } from './broker/subscribe.ts'
import { onCommand } from './command.ts'
import { onDeadline, wakeAt } from './deadlines.ts'
import { onPuback, onPubcomp, onPubrec, onRegack } from './downlink/answers.ts'
import { resume } from './downlink/ask.ts'
import { deliverNext, onMessage, onReleasing } from './downlink/deliver.ts'
import type { Event } from './events.ts'
import type { Turn } from './policy.ts'
import { touch } from './record.ts'
import { drop, isEnded, type Session } from './session.ts'
import { onConnect, onWillmsg, onWilltopic } from './setup/connect.ts'
import { onDisconnect, onPingreq, onShutdown } from './setup/sleep.ts'
import { onWillmsgupd, onWilltopicupd } from './setup/will.ts'
import { verdict } from './states.ts'
import { onRegister } from './topics/register.ts'
import { onPublish, onPubrel } from './uplink/publish.ts'
import { onPublished, onReceived } from './uplink/uplinks.ts'

type Handlers = {
  [T in PacketType]?: (session: Session, packet: Extract<Packet, { type: T }>, turn: Turn) => void
}

/** What happens when a sensor's message arrives, one procedure each. */
const handlers: Handlers = {
  connect: onConnect,
  willtopic: onWilltopic,
  willmsg: onWillmsg,
  register: onRegister,
  regack: onRegack,
  publish: onPublish,
  puback: onPuback,
  pubrec: onPubrec,
  pubrel: onPubrel,
  pubcomp: onPubcomp,
  subscribe: onSubscribe,
  unsubscribe: onUnsubscribe,
  pingreq: onPingreq,
  pingresp: () => {}, // being heard is all it does [SN-KA-10]
  disconnect: onDisconnect,
  willtopicupd: onWilltopicupd,
  willmsgupd: onWillmsgupd,
}

/**
 * The one door: whatever happens to a session comes in as an event, and what is to be done goes out as effects, to be
 * performed in order and completely before the next event. `turn.now` is monotonic milliseconds.
 */
export function handle(session: Session, event: Event, turn: Turn): void {
  if (event.type === 'packet') onPacket(session, event.packet, turn)
  else onOther(session, event, turn)
  if (isEnded(session) && session.link.state !== 'closed') closeUnlessNeeded(session, turn)
  session.wakeAt = wakeAt(session, turn)
}

/** What a sensor asks only after it got CONNACK; its answers to what the gateway sends prove nothing [SN-CONN-9]. */
export const provesConnack: ReadonlySet<PacketType> = new Set<PacketType>([
  'register', 'publish', 'subscribe', 'unsubscribe', 'pingreq', 'disconnect', 'willtopicupd', 'willmsgupd',
]) // biome-ignore format: one line reads better

function onPacket(session: Session, packet: Packet, turn: Turn): void {
  const { state } = session
  const judged = verdict(state, packet.type)
  if (judged !== 'handle') {
    // `refuse` cannot happen here: disconnected sensors have no address, so their messages are a stranger's
    return drop(session, judged === 'unasked' ? 'unasked' : 'out-of-state', turn)
  }
  session.heardAt = turn.now
  if (provesConnack.has(packet.type)) session.fresh = false
  const handler = handlers[packet.type] as ((s: Session, p: Packet, t: Turn) => void) | undefined
  handler?.(session, packet, turn)
  hurry(session, turn)
  touch(session, turn)
  if (session.paused) resume(session, turn) // a silent sensor that speaks again gets what waited for it [AMB-26]
  deliverNext(session, turn)
}

function onOther(session: Session, event: Exclude<Event, { type: 'packet' }>, turn: Turn): void {
  switch (event.type) {
    case 'connected': return onConnected(session, event, turn)
    case 'refused': return onRefused(session, event, turn)
    case 'closed': return onClosed(session, event, turn)
    case 'received': return onReceived(session, event.token, turn)
    case 'published': return onPublished(session, event.token, event.outcome, turn)
    case 'subscribed': return onSubscribed(session, event, turn)
    case 'unsubscribed': return onUnsubscribed(session, event.token, turn)
    case 'message': return onMessage(session, event, turn)
    case 'releasing': return onReleasing(session, event, turn)
    case 'congestion': return onCongestion(session, event.on, turn)
    case 'deadline': return onDeadline(session, turn)
    case 'shutdown': return onShutdown(session, turn)
    case 'command': return onCommand(session, event.command, turn)
  } // biome-ignore format: a table
}
