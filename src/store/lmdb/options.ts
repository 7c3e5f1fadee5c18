// What a store on disk is opened with.

import type { Numbers } from '../changes.ts'
import type { MachineClock } from './store-clock.ts'

export interface LmdbOptions {
  /** a folder; created if it is not there */
  readonly path: string
  /** told once when writing begins to fail, and once when it works again */
  readonly log?: { error(message: string): void; info(message: string): void } | undefined
  /** how often to look whether the folder is still there, milliseconds; 2000 unless told */
  readonly lookAfter?: number | undefined
  /** milliseconds until what failed is written again; 1000 unless told */
  readonly retryAfter?: number | undefined
  /** only a part of the sessions is wanted; another thread has taken the folder with `takeStore` */
  readonly part?: StorePart | undefined
  /** whose time it is; this machine's unless told */
  readonly machine?: MachineClock | undefined
}

/** The part of one thread; all that share a store have the same `count`, and an `index` of their own below it. */
export interface StorePart extends Numbers {
  owns(clientId: string): boolean
}

/** For who is alone. */
export const everything: StorePart = { index: 0, count: 1, owns: () => true }
