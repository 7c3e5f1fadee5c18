// Slots: the 1,024 parts of all sensors. Whoever serves sensors, be it a thread or a process, serves whole slots. Pure.

/** How many there are. Stores know sessions by their slots, so that neither this nor `slotOfName` ever changes. */
export const SLOTS = 1024

/** All of them, in order. */
export const allSlots: readonly number[] = Array.from({ length: SLOTS }, (_, slot) => slot)

/** The slot of a name: spread evenly, also over names that differ in little, and the same everywhere and for ever (FNV-1a). */
export function slotOfName(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  // The lowest bits of this hash depend on the lowest bits of the characters alone.
  return ((hash ^ (hash >>> 15)) >>> 0) % SLOTS
}

/** Which of so many workers of a process serves a slot. */
export const workerOfSlot = (slot: number, workers: number): number => slot % workers
