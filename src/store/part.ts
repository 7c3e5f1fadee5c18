// The part of a store that one thread has.

import type { Numbers } from './changes.ts'

/** The part of one thread; all that share a store have the same `count`, and an `index` of their own below it. */
export interface StorePart extends Numbers {
  owns(clientId: string): boolean
}

/** For who is alone. */
export const everything: StorePart = { index: 0, count: 1, owns: () => true }
