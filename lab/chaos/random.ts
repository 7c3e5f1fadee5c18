// Random numbers that a seed determines: the same seed gives the same plan.

/** 0 <= x < 1, the next of a sequence. */
export type Random = () => number

/** The sequence of these numbers and texts (mulberry32 over a hash of them). */
export function seeded(...from: (number | string)[]): Random {
  let state = 0x811c9dc5
  for (const character of from.join('/')) state = Math.imul(state ^ character.charCodeAt(0), 0x01000193)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x100000000
  }
}

/** One of a list that is not empty. */
export function pick<T>(random: Random, list: readonly [T, ...T[]]): T {
  return list[Math.floor(random() * list.length)] ?? list[0]
}

/** A number between two. */
export const between = (random: Random, least: number, most: number): number =>
  least + random() * (most - least)
