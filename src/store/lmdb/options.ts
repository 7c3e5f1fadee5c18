// What a store on disk is opened with.

import type { GroupedOptions } from '../group-writer.ts'
import type { StorePart } from '../part.ts'
import type { SlotOf } from '../store.ts'
import type { MachineClock } from './store-clock.ts'

export interface LmdbOptions extends GroupedOptions {
  /** a folder; created if it is not there */
  readonly path: string
  /** only a part of the sessions is wanted; another thread has taken the folder with `takeStore` */
  readonly part?: StorePart | undefined
  /** the slot of a ClientId, which sessions are loaded and released by; all are in one unless told */
  readonly slotOf?: SlotOf | undefined
  /** whose time it is; this machine's unless told */
  readonly machine?: MachineClock | undefined
}
