// What a line is opened with, and what is told of it.

import type { DialogueOptions, Heard } from '../dialogue/dialogue.ts'
import { usualLongest } from '../dialogue/kinds.ts'
import type { Remote } from '../transport.ts'
import type { PaceLimits } from './pace.ts'
import { type LineSettings, usualPace } from './url.ts'

/** What happens to a line, for the log. */
export type LineEvent =
  | { readonly type: 'up' }
  /** `error` tells a person what to change, where it could not be opened */
  | { readonly type: 'away'; readonly error: Error }
  /** octets of the longest message that it carries, which may be less than what was asked for */
  | { readonly type: 'longest'; readonly longest: number }
  | Extract<Heard, { type: 'notice' }>

type PaceOptions = {
  readonly [Limit in keyof PaceLimits]?: PaceLimits[Limit] | undefined
} & Pick<DialogueOptions, 'inFlight' | 'confirm'>

export interface LineOptions {
  /** see `readLineUrl` */
  readonly url: string
  /** octets of the longest message; without, as usual for what is on the line */
  readonly longest?: number | undefined
  /**
   * What may wait, octets per second, and how confirmations are waited for; a serial line has nine tenths of its rate unless told
   * otherwise.
   */
  readonly pace?: PaceOptions | undefined
  /** told when the line comes and goes; never twice the same */
  readonly onLine?: ((event: LineEvent) => void) | undefined
  /** whether a modem may call from this address, where modems call; everybody may without */
  readonly admitsHost?: ((address: string) => boolean) | undefined
  /** takes those who may not */
  readonly onRefusedHost?: ((remote: Remote) => void) | undefined
}

/** A line may hold so many messages and octets back, unless told otherwise. */
export const MESSAGES = 32
const OCTETS = 8192
/** Octets of the longest message on a line. */
export const longestOf = (settings: LineSettings, { longest }: LineOptions): number =>
  longest ?? usualLongest(settings.framing)

/** The limits of a line with their defaults. */
export function paceLimits(settings: LineSettings, { pace = {} }: LineOptions): PaceLimits {
  const { octetsPerSecond = usualPace(settings), messages = MESSAGES, octets = OCTETS } = pace
  return { octetsPerSecond, messages, octets }
}
