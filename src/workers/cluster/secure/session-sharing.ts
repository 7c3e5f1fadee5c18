// What a DTLS link of a node has to do with those of the others: its sessions are those of the slots that are served here.

import type { BoundListener } from '../../../gateway/datagrams/listener.ts'
import type { SlotStates } from '../../../sessions/ownership/slot-states.ts'
import { SLOTS } from '../../../sessions/slots.ts'
import type { SessionSharing } from '../../../transport/secure-link.ts'
import type { Remote } from '../../../transport/transport.ts'

/** One that is served, each as likely as its neighbours; undefined: none is. */
export function chooseServed(states: SlotStates, chance = Math.random()): number | undefined {
  const first = Math.floor(chance * SLOTS)
  for (let i = 0; i < SLOTS; i += 1) {
    const slot = (first + i) % SLOTS
    if (states.stateOf(slot) === 'served') return slot
  }
  return undefined
}

/** Where datagrams go that are not for here; see `SlotRouter`. */
export interface SealedWays {
  passSealed(bound: BoundListener, bytes: Uint8Array, from: Remote): void
  wayOut(listener: number, remote: Remote, bytes: Uint8Array): Remote | undefined
}

/** What is remembered of datagrams; see `SealedRouter`. */
interface SealedPlaces {
  wayIn(from: Remote): Remote
  isWaiting(listener: number, from: Remote): boolean
  note(listener: number, at: Remote, session: number, isRestored: boolean): void
  forget(listener: number, at: Remote, session: number): void
}

export const sharingOf = (
  bound: BoundListener,
  places: SealedPlaces,
  ways: SealedWays,
  states: SlotStates,
): SessionSharing => ({
  chooseSlot: () => chooseServed(states),
  wayIn: (from) => places.wayIn(from),
  wayOut: (to, bytes) => ways.wayOut(bound.index, to, bytes),
  isWaiting: (from) => places.isWaiting(bound.index, from),
  pass: (bytes, from) => ways.passSealed(bound, bytes, from),
  noteAddress: (at, session, isRestored) => places.note(bound.index, at, session, isRestored),
  forgetAddress: (at, session) => places.forget(bound.index, at, session),
})
