// What a DTLS link of a node has to do with those of the others: its sessions are those of the slots that are served here.

import type { BoundListener } from '../../../gateway/datagrams/listener.ts'
import type { SlotStates } from '../../../sessions/ownership/slot-states.ts'
import { SLOTS } from '../../../sessions/slots.ts'
import type { SessionSharing } from '../../../transport/secure-link.ts'
import type { SlotRouter } from '../slot-router.ts'

/** One that is served, each as likely as its neighbours; undefined: none is. */
export function chooseServed(states: SlotStates, chance = Math.random()): number | undefined {
  const first = Math.floor(chance * SLOTS)
  for (let i = 0; i < SLOTS; i += 1) {
    const slot = (first + i) % SLOTS
    if (states.stateOf(slot) === 'served') return slot
  }
  return undefined
}

export const sharingOf = (router: SlotRouter, bound: BoundListener, states: SlotStates): SessionSharing => ({
  chooseSlot: () => chooseServed(states),
  wayIn: (from) => router.sealed.wayIn(from),
  wayOut: (to, bytes) => router.wayOut(bound.index, to, bytes),
  pass: (bytes, from) => router.passSealed(bound, bytes, from),
  noteAddress: (at, session, isRestored) => router.sealed.note(bound.index, at, session, isRestored),
  forgetAddress: (at, session) => router.sealed.forget(bound.index, at, session),
})
