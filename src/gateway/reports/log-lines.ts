// Lines of the log: one per state change of a sensor; packets only at trace level, and their payloads only if configured.

import type { Packet } from '../../codec/v1/messages.ts'
import { parseListenerUrl } from '../../config/sections/addresses.ts'
import { isLoopback } from '../../config/sections/networks.ts'
import type { Log } from '../../log.ts'
import type { Effect } from '../../session/events.ts'
import { describePeer, hex, type Peer } from '../../session/peers.ts'
import type { Session } from '../../session/session.ts'
import type { State } from '../../session/states.ts'
import type { BoundListener } from '../datagrams/listener.ts'

/** What lets sensors on other machines reach a listener. */
const REACH =
  'for sensors elsewhere: listeners[].url "udp://0.0.0.0:1884" (or --listen), their network in "allow", and the port open in the firewall'

/**
 * Logs where sensors are heard, tells whoever tries it for the first time that loopback is no way for sensors elsewhere, and
 * warns if the system grants a smaller receive buffer than asked.
 */
export function logListening(log: Log, { listener: { name }, transport, discovery }: BoundListener): void {
  const { receiveBuffer, receiveBufferAsked, secure } = transport.stats()
  const found = { listener: name, url: transport.url, receiveBuffer, discovery: discovery !== undefined }
  const isUdp = /^(?:udp|dtls):/.test(transport.url)
  const way = transport.atOnce === undefined ? 'simple' : 'batched'
  log.info(isUdp ? { ...found, udp: way } : found, 'listening')
  if (isLoopback(parseListenerUrl(transport.url)?.address ?? ''))
    log.info({ listener: name, remedy: REACH }, 'only this machine can reach this listener')
  if (secure?.keyLog) {
    const text =
      'the secrets of all DTLS sessions are written to a file: whoever has it reads and forges everything'
    log.warn({ listener: name, key: 'listeners[].dtls.keyLog' }, text)
  }
  if (receiveBuffer >= receiveBufferAsked) return
  const remedy = `raise net.core.rmem_max to ${receiveBufferAsked}, or ask for less with receiveBuffer`
  log.warn({ listener: name, receiveBuffer, receiveBufferAsked, remedy }, 'receive buffer smaller than asked')
}

/** Sessions that set up a connection out of their sleep: for them that is a way to wake up. */
const fromSleep = new WeakSet<Session>()

/** Logs which sensor went to which state, and why; the steps of a setup and the cycles of sleep interest only those who look closely. */
export function logChange(log: Log, effect: Extract<Effect, { type: 'changed' }>): void {
  const { session, peer, from, to, why } = effect
  const level = isRoutine(session, from, to) ? 'debug' : 'info'
  if (!log.isLevelEnabled(level)) return
  const { clientId } = session
  const fields = { clientId, peer: peer && describePeer(peer), listener: peer?.listener.name, from, to, why }
  log[level](fields, `sensor ${to}`)
}

/** Three hundred sleepers that wake each minute would fill the log with nothing. */
function isRoutine(session: Session, from: State, to: State): boolean {
  const isSleeping = from === 'asleep' || from === 'awake'
  if (to === 'willtopic' || to === 'willmsg' || to === 'connecting') {
    if (isSleeping) fromSleep.add(session)
    return true
  }
  if (to === 'asleep' || to === 'awake') return true
  return (fromSleep.delete(session) || isSleeping) && to === 'active'
}

/** Logs what was set aside, since the broker will not have it. */
export function logSetAside(log: Log, effect: Extract<Effect, { type: 'setAside' }>): void {
  const { session, kind, topic, why, kept } = effect
  const what = kind === 'publish' ? 'message' : 'subscription'
  const does = why === 'hung-up' ? 'hangs up at' : 'refuses'
  const then = kept ? 'it is kept as a dead letter' : 'it was given up'
  log.warn({ clientId: session.clientId, topic }, `the broker ${does} this ${what}: ${then}`)
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
