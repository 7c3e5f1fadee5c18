// Ends of associations: each one is told to the peer at most once, and to those above exactly once.

import type { Remote, Turn } from '../effects.ts'
import { type AlertName, FATAL, type Failure, type FailureCause, WARNING } from '../failure.ts'
import { sendAlert } from './answers.ts'
import type { Association } from './association.ts'
import type { ServerContext } from './context.ts'

/** A handshake that fails with an alert. */
export function failHandshake(
  context: ServerContext,
  association: Association,
  { alert, cause, why }: Failure,
  turn: Turn,
): void {
  if (association.state === 'gone') return
  sendAlert(association, FATAL, alert, turn)
  endHandshake(context, association, cause, why, turn)
}

/** A handshake that ends without a word to the peer. */
export function endHandshake(
  context: ServerContext,
  association: Association,
  cause: FailureCause,
  why: string,
  turn: Turn,
): void {
  if (association.state === 'gone') return
  const { handshake, remote } = association
  context.table.remove(association)
  association.state = 'gone'
  const identity = handshake?.who.identity
  const undecrypted = handshake?.undecrypted ?? 0
  forgetSecrets(association)
  turn.out.push({ type: 'failed', remote, identity, cause, why, undecrypted })
}

/** An open session ends: the peer gets close_notify. */
export function closeSession(
  context: ServerContext,
  association: Association,
  why: string,
  turn: Turn,
): void {
  endSession(context, association, why, { level: WARNING, alert: 'close_notify' }, turn)
}

/** Another session is at this address now: one that could be found by it alone ends, without a word to whoever is there. */
export function displaceSession(context: ServerContext, at: Remote, turn: Turn): void {
  const open = context.table.openAt(at)
  if (open !== undefined && open.channel.ownCid.length === 0)
    endSession(context, open, 'replaced', undefined, turn)
}

export interface LastWord {
  readonly level: number
  readonly alert: AlertName
}

/** An open session ends with this alert, or with none. */
export function endSession(
  context: ServerContext,
  association: Association,
  why: string,
  lastWord: LastWord | undefined,
  turn: Turn,
): void {
  if (association.state !== 'open') return
  if (lastWord !== undefined) sendAlert(association, lastWord.level, lastWord.alert, turn)
  context.table.remove(association)
  association.state = 'gone'
  forgetSecrets(association)
  turn.out.push({ type: 'closed', session: association.id, why })
  if (context.settings.persist) turn.out.push({ type: 'forget', session: association.id })
}

/** A mistake in the core: it costs this association and no other. */
export function endBroken(context: ServerContext, association: Association, turn: Turn): void {
  const why = 'a mistake in the core'
  if (association.state === 'open') endSession(context, association, why, undefined, turn)
  else endHandshake(context, association, 'fault', why, turn)
}

export function forgetSecrets(association: Association): void {
  const { handshake } = association
  handshake?.master?.fill(0)
  association.handshake = undefined
  association.lastFlight = undefined
}
