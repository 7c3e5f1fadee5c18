// What is said of octets that are no message, in a dialogue of whatever kind. Pure.

import type { Decoded } from '../framing/decoded.ts'
import type { LinkError } from '../transport.ts'
import type { Heard } from './dialogue.ts'

/** So many messages that were lost on their way out. */
export const lost = (reason: LinkError, times: number): Heard[] =>
  Array.from({ length: times }, () => ({ type: 'lost', reason }))

/** Octets that are no message, or nothing that is known. */
export const noise = (octets: Uint8Array, reason: LinkError = 'noise'): Heard => ({
  type: 'lost',
  reason,
  octets,
})

/** Reads what a framing gives: what is no frame is told, and `read` tells of the others. */
export const heardIn = (
  decoded: readonly Decoded[],
  read: (frame: Uint8Array) => readonly Heard[],
): Heard[] =>
  decoded.flatMap((one) => (one.fault === undefined ? read(one.frame) : noise(one.octets, one.fault)))

/** The earliest of times that there are. */
export function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const due = times.filter((at) => at !== undefined)
  return due.length === 0 ? undefined : Math.min(...due)
}
