// What all parts of one server share.

import type { Chance } from '../crypto/chance.ts'
import type { Remote, Turn } from '../effects.ts'
import type { ResumptionCache } from '../resumption/cache.ts'
import type { Tickets } from '../resumption/tickets.ts'
import type { Association } from './association.ts'
import type { ServerSettings } from './options.ts'
import type { AssociationTable } from './table.ts'

export interface ServerContext {
  /** replaced by a reload */
  settings: ServerSettings
  readonly chance: Chance
  readonly table: AssociationTable
  readonly cache: ResumptionCache
  readonly tickets: Tickets
  /** whose record is handled: an exception costs this one and no other */
  current: Association | undefined
  /** number of the next association */
  nextId: number
  /** when something is due next; may be too early, never too late */
  dueAt: number
  /** when open sessions are looked through next */
  sweepAt: number
}

/** Sends one datagram, within what an address that has not proved itself may get. */
export function sendDatagram(association: Association, bytes: Uint8Array, turn: Turn): boolean {
  const { unproven } = association
  if (unproven !== undefined) {
    if (bytes.length > unproven.octets) return false
    unproven.octets -= bytes.length
  }
  sendTo(association.remote, bytes, turn)
  return true
}

export const sendTo = (to: Remote, bytes: Uint8Array, turn: Turn): void => {
  turn.out.push({ type: 'send', bytes, to })
}

export const wake = (context: ServerContext, at: number): void => {
  context.dueAt = Math.min(context.dueAt, at)
}

/** Open sessions are looked through so often, milliseconds: idle ones and last flights end that much later at most. */
const SWEEP = 10_000

/** There are open sessions: they are looked through within a while. */
export function wakeToSweep(context: ServerContext, now: number): void {
  context.sweepAt = Math.min(context.sweepAt, now + SWEEP)
  wake(context, context.sweepAt)
}
