// Exchanges under way: what is best brought to its end before a session is let go, since one side would have to repeat itself. Pure.

import { peekMsgType } from '../../codec/envelope.ts'
import { MsgType } from '../../codec/v1/messages.ts'
import type { Session } from '../../session/session.ts'
import { isListening } from '../../session/states.ts'

/** Whether somebody waits for an answer: the sensor for one of the broker or the gateway, or the gateway for one of the sensor. */
export function hasExchange(session: Session): boolean {
  const { state, setup, subscribing, uplink, downlink } = session
  if (state === 'connecting' || setup.willUpdate !== undefined || subscribing.requests.size > 0) return true
  if (isListening(session) && (downlink.outstanding ?? downlink.owed) !== undefined) return true
  // of what the broker has, the next word is the sensor's
  for (const { stored, broker, sensor } of uplink.outgoing.values())
    if (!stored && (broker !== 'received' || sensor === 'released')) return true
  return false
}

const answers: ReadonlySet<number | undefined> = new Set([
  MsgType.puback, MsgType.pubrec, MsgType.pubcomp, MsgType.regack,
]) // biome-ignore format: one line reads better

/**
 * Whether a datagram goes on with an exchange, and begins none. `isFirst`: nothing of its sender is held; PUBREL must not overtake the
 * repetition of its PUBLISH, which would be a new message then.
 */
export function continuesExchange(bytes: Uint8Array, isFirst: boolean): boolean {
  const type = peekMsgType(bytes)
  return answers.has(type) || (isFirst && type === MsgType.pubrel)
}
