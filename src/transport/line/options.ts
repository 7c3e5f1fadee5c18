// What a line is opened with, and what is told of it.

import type { PaceLimits } from './pace.ts'
import { type LineSettings, lineRate } from './url.ts'

/** What happens to a line, for the log. */
export type LineEvent =
  | { readonly type: 'up' }
  /** `error` tells a person what to change, where it could not be opened */
  | { readonly type: 'away'; readonly error: Error }

export interface LineOptions {
  /** see `readLineUrl` */
  readonly url: string
  /** octets of the longest message; 1472 without */
  readonly longest?: number | undefined
  /** what may wait, and octets per second; a serial line has nine tenths of its rate unless told otherwise */
  readonly pace?: { readonly [Limit in keyof PaceLimits]?: PaceLimits[Limit] | undefined } | undefined
  /** told when the line comes and goes; never twice the same */
  readonly onLine?: ((event: LineEvent) => void) | undefined
}

/** A line may hold so many messages and octets back, unless told otherwise. */
const MESSAGES = 32
const OCTETS = 8192
/** The part of its rate that a wire is given: the clocks of both sides differ, and some devices need a breath. */
const SHARE = 0.9

/** The limits of a line with their defaults. */
export function paceLimits(settings: LineSettings, { pace = {} }: LineOptions): PaceLimits {
  const rate = lineRate(settings)
  const { octetsPerSecond = rate && rate * SHARE, messages = MESSAGES, octets = OCTETS } = pace
  return { octetsPerSecond, messages, octets }
}
