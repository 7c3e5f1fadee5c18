// Who is to serve which slot: rendezvous hashing with a bound, the same wherever it is asked for. When a member comes or goes, few slots
// change hands besides those that have to. Pure.

import { SLOTS } from '../sessions/slots.ts'

/** How much a slot is drawn to a member: 32 bits, as if by chance, and the same everywhere. */
function attraction(slot: number, member: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < member.length; i++) hash = Math.imul(hash ^ member.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (slot + 1), 0x9e3779b1)
  // every bit of the slot and of the name is to change every bit of the result
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/**
 * The member of each slot, by the slot's number: the one that draws it most of those that have not their share yet, which is the
 * number of slots by the number of members, rounded up. `members`: names, each once, in any order; nobody serves if there are none.
 */
export function planSlots(members: Iterable<string>): readonly string[] {
  const names = [...new Set(members)].sort()
  if (names.length === 0) return []
  const share = Math.ceil(SLOTS / names.length)
  const sizes = new Map(names.map((name) => [name, 0]))
  return Array.from({ length: SLOTS }, (_, slot) => {
    let best: string | undefined
    let most = -1
    for (const name of names) {
      if ((sizes.get(name) ?? 0) >= share) continue
      const drawn = attraction(slot, name)
      if (drawn <= most) continue
      best = name
      most = drawn
    }
    const found = best ?? names[0] ?? ''
    sizes.set(found, (sizes.get(found) ?? 0) + 1)
    return found
  })
}
