// The one door of a session: what happens to it comes in as an event, what is to be done goes out as effects [6]. Pure.
// Procedures only change the session. What has become due to the broker and to the sensor is sent at the end of each turn.

import type { Packet, PacketType } from '../codec/v1/messages.ts'
import { closeUnneededLink, hurryLink, onSensorHeard, reopenLink } from './broker/link.ts'
import { sendDueToBroker } from './broker/send-due.ts'
import { endForbiddenSubscriptions, onSubscribe, onUnsubscribe, onUnsubscribed } from './broker/subscribe.ts'
import {
  onClosed,
  onCongestion,
  onConnected,
  onRefused,
  onSubscribed,
  onSubscriptionEnded,
} from './broker-events.ts'
import { nextDeadline, onDeadline } from './deadlines.ts'
import { onPuback, onPubcomp, onPubrec, onRegack } from './downlink/answers.ts'
import { resumeDelivery } from './downlink/ask.ts'
import { deliverDue, onMessage, onReleasing } from './downlink/deliver.ts'
import { takeOverUnheard } from './downlink/owed.ts'
import { earnCredit } from './downlink/validation.ts'
import type { Event } from './events.ts'
import { renewLease } from './record.ts'
import type { Session } from './session.ts'
import { onCommand } from './setup/command.ts'
import { onConnect, onWillmsg, onWilltopic, resumeAccepted } from './setup/connect.ts'
import { onDisconnect, onDisplaced, onShutdown, onSuspend } from './setup/disconnect.ts'
import { finishAwake, onPingreq } from './setup/sleep.ts'
import { onWillmsgupd, onWilltopicupd } from './setup/will-update.ts'
import { isEnded, verdict } from './states.ts'
import { onRegister } from './topics/register.ts'
import { drop, type Turn } from './turn.ts'
import { yieldDeadLetter } from './uplink/dead-letters.ts'
import { onPublished, onReceived } from './uplink/forward.ts'
import { onPublish, onPubrel } from './uplink/publish.ts'

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
  const wasEnded = isEnded(session)
  if (event.type === 'packet') onPacket(session, event.packet, turn)
  else onOther(session, event, turn)
  sendDueToBroker(session, turn)
  if (deliverDue(session, turn)) finishAwake(session, turn)
  takeOverUnheard(session, turn)
  if (isEnded(session)) closeUnneededLink(session, !wasEnded, turn)
  session.wakeAt = nextDeadline(session, turn)
}

/** What a sensor asks only after it got CONNACK; its answers to what the gateway sends prove nothing [SN-CONN-9]. */
export const provesConnack: ReadonlySet<PacketType> = new Set<PacketType>([
  'register', 'publish', 'subscribe', 'unsubscribe', 'pingreq', 'disconnect', 'willtopicupd', 'willmsgupd',
]) // biome-ignore format: one line reads better

function onPacket(session: Session, packet: Packet, turn: Turn): void {
  if (session.setup.repeated && provesConnack.has(packet.type)) resumeAccepted(session, turn)
  const judged = verdict(session.state, packet.type)
  if (judged !== 'handle') {
    // `refuse` cannot happen here: disconnected sensors have no address, so their messages are a stranger's
    return drop(session, judged === 'unasked' ? 'unasked' : 'out-of-state', turn)
  }
  session.heardAt = turn.now
  onSensorHeard(session, turn)
  if (!session.validation.done) earnCredit(session, turn)
  if (provesConnack.has(packet.type)) session.setup.fresh = false
  const handler = handlers[packet.type] as ((s: Session, p: Packet, t: Turn) => void) | undefined
  handler?.(session, packet, turn)
  hurryLink(session, turn)
  renewLease(session, turn)
  resumeDelivery(session, turn)
}

function onRules(session: Session, turn: Turn): void {
  const { link, policy } = session
  if (link.pool !== policy.pool && link.state === 'up') reopenLink(session, turn)
  endForbiddenSubscriptions(session, turn)
  onDeadline(session, turn) // what is due follows from the rules
}

function onOther(session: Session, event: Exclude<Event, { type: 'packet' }>, turn: Turn): void {
  switch (event.type) {
    case 'connected': return onConnected(session, event, turn)
    case 'refused': return onRefused(session, event, turn)
    case 'closed': return onClosed(session, event, turn)
    case 'received': return onReceived(session, event.token, turn)
    case 'published': return onPublished(session, event, turn)
    case 'subscribed': return onSubscribed(session, event, turn)
    case 'unsubscribed': return onUnsubscribed(session, event.token, turn)
    case 'subscriptionEnded': return onSubscriptionEnded(session, event, turn)
    case 'message': return onMessage(session, event, turn)
    case 'releasing': return onReleasing(session, event, turn)
    case 'congestion': return onCongestion(session, event.on)
    case 'deadline': return onDeadline(session, turn)
    case 'rules': return onRules(session, turn)
    case 'displaced': return onDisplaced(session, event.by, turn)
    case 'yieldDeadLetter': return yieldDeadLetter(session, 'dead-letters-full', turn)
    case 'shutdown': return onShutdown(session, turn)
    case 'suspend': return onSuspend(session, turn)
    case 'command': return onCommand(session, event.command, turn)
  } // biome-ignore format: a table
}
