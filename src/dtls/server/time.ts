// What happens because time passes: flights are repeated, handshakes given up, idle sessions ended.

import type { Turn } from '../effects.ts'
import { sendFlight } from './answers.ts'
import type { Association } from './association.ts'
import { type ServerContext, wake, wakeToSweep } from './context.ts'
import { closeSession, endHandshake } from './end.ts'

export function passDeadlines(context: ServerContext, turn: Turn): void {
  if (turn.now < context.dueAt) return
  context.dueAt = Number.POSITIVE_INFINITY
  for (const association of [...context.table.halfOpen]) passHandshake(context, association, turn)
  if (turn.now < context.sweepAt) return wake(context, context.sweepAt)
  // there may be thousands: they are looked through by a clock of their own, and not for every handshake that waits
  context.sweepAt = Number.POSITIVE_INFINITY
  const { sessions } = context.table
  for (const association of [...sessions.values()]) passSession(context, association, turn)
  if (sessions.size > 0) wakeToSweep(context, turn.now)
}

function passHandshake(context: ServerContext, association: Association, turn: Turn): void {
  const { handshake, state } = association
  if (handshake === undefined) return
  if (turn.now >= handshake.deadline) {
    const { isUnknown, undecrypted } = handshake
    const cause = isUnknown ? 'unknown-identity' : undecrypted > 0 ? 'wrong-key' : 'timeout'
    return endHandshake(context, association, cause, 'the handshake was not finished in time', turn)
  }
  const { repetition } = handshake
  if (turn.now >= repetition.at) {
    // while a key is looked up the client has nothing to answer
    if (state !== 'looking-up') sendFlight(association, handshake.flight, handshake.limits, turn)
    repetition.postpone(turn.now)
  }
  context.dueAt = Math.min(context.dueAt, repetition.at, handshake.deadline)
}

function passSession(context: ServerContext, association: Association, turn: Turn): void {
  const { lastFlight, inUse, lastUsed } = association
  if (lastFlight !== undefined && turn.now >= lastFlight.until) association.lastFlight = undefined
  if (!inUse && turn.now - lastUsed >= context.settings.idle) closeSession(context, association, 'idle', turn)
}
