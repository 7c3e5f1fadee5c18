// What a store on disk is opened with.

import type { Numbers } from '../changes.ts'
import type { GroupedOptions } from '../group-writer.ts'
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

/** The part of one thread; all that share a store have the same `count`, and an `index` of their own below it. */
export interface StorePart extends Numbers {
  owns(clientId: string): boolean
  /** records beside sessions are wanted and nothing else: others have the sessions */
  readonly isBeside?: true
}

/** For who is alone. */
export const everything: StorePart = { index: 0, count: 1, owns: () => true }
