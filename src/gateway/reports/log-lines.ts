// Lines of the log: one per state change of a sensor; packets only at trace level, and their payloads only if configured.

import type { Packet } from '../../codec/v1/messages.ts'
import type { Log } from '../../log.ts'
import type { DropReason, Effect } from '../../session/events.ts'
import { describePeer, hex, type Peer } from '../../session/peers.ts'
import type { BoundListener } from '../datagrams/listener.ts'

/** Logs where sensors are heard, and warns if the system grants a smaller receive buffer than asked. */
export function logListening(log: Log, { listener: { name }, transport, discovery }: BoundListener): void {
  const { receiveBuffer, receiveBufferAsked } = transport.stats()
  const found = { listener: name, url: transport.url, receiveBuffer, discovery: discovery !== undefined }
  log.info(found, 'listening')
  if (receiveBuffer >= receiveBufferAsked) return
  const remedy = `raise net.core.rmem_max to ${receiveBufferAsked}, or ask for less with receiveBuffer`
  log.warn({ listener: name, receiveBuffer, receiveBufferAsked, remedy }, 'receive buffer smaller than asked')
}

/** Logs which sensor went to which state, and why. */
export function logChange(log: Log, effect: Extract<Effect, { type: 'changed' }>): void {
  const { session, peer, from, to, why } = effect
  const { clientId } = session
  const fields = { clientId, peer: peer && describePeer(peer), listener: peer?.listener.name, from, to, why }
  // the steps of a setup interest only those who look closely
  if (to === 'willtopic' || to === 'willmsg' || to === 'connecting') log.debug(fields, `sensor ${to}`)
  else log.info(fields, `sensor ${to}`)
}

/** Logs what was set aside, since the broker will not have it. */
export function logSetAside(log: Log, effect: Extract<Effect, { type: 'setAside' }>): void {
  const { session, kind, topic, why, kept } = effect
  const what = kind === 'publish' ? 'message' : 'subscription'
  const does = why === 'hung-up' ? 'hangs up at' : 'refuses'
  const then = kept ? 'it is kept as a dead letter' : 'it was given up'
  log.warn({ clientId: session.clientId, topic }, `the broker ${does} this ${what}: ${then}`)
}

/** Lines in a minute, for each reason, about messages that were dropped; the loss report counts them all. */
const DROP_LINES = 10

/** Logs which sensor's message of which topic was dropped and why, a few times a minute. `now`: milliseconds. */
export function createDropLog(
  log: Log,
  now: () => number = () => performance.now(),
): (reason: DropReason, clientId: string | undefined, topic: string) => void {
  const written = new Map<DropReason, { since: number; lines: number }>()
  return (reason, clientId, topic) => {
    let known = written.get(reason)
    if (known === undefined || now() - known.since >= 60_000) {
      known = { since: now(), lines: 0 }
      written.set(reason, known)
    }
    known.lines += 1
    if (known.lines > DROP_LINES) return
    if (reason === 'undeliverable')
      log.warn({ clientId, topic }, 'a sensor that is there does not take a message, which was dropped')
    else log.warn({ clientId, topic, reason }, 'a dead letter was dropped')
  }
}

/** Logs one message, without its contents unless `payloads` is set. */
export function logPacket(
  log: Log,
  direction: 'received' | 'sent',
  packet: Packet,
  peer: Peer,
  payloads: boolean,
): void {
  if (!log.isLevelEnabled('trace')) return
  const fields: Record<string, unknown> = { ...packet, type: undefined }
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Uint8Array) fields[name] = payloads ? hex(value) : `${value.length} octets`
  }
  log.trace({ peer: describePeer(peer), packet: fields }, `${direction} ${packet.type.toUpperCase()}`)
}
