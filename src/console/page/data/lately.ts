// What the checks of the overview know of the last minutes. Types only.

import type { Happening } from '../../contract/happenings.ts'

/** What happened within the last five minutes. */
export interface Recent {
  /** drops by reason, and datagrams */
  readonly drops: Readonly<Record<string, number>>
  readonly datagrams: number
  /** sensors that fell silent, logins refused by the broker, refusals of all kinds, kernel drops */
  readonly lost: number
  readonly refused: number
  readonly refusals: number
  readonly kernelDrops: number
  /** the last refusal, and the last time that two devices had one ClientId */
  readonly refusal?: Happening | undefined
  readonly twins?: Happening | undefined
}
