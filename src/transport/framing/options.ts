// What a framing is made with. Pure.

import type { CrcKind } from './crc.ts'

export interface FramingOptions {
  /** octets of the longest message */
  readonly longest: number
  /** appended to each message, low octet first; each framing has its own default */
  readonly crc?: CrcKind | undefined
}
