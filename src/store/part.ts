// The part of a store that one thread has.

import type { Numbers } from './changes.ts'

/** One process that has taken a store on a database server, from its start to its end. */
export interface Incarnation {
  readonly node: string
  /** grows with every start */
  readonly incarnation: number
}

/** The part of one thread; all that share a store have the same `count`, and an `index` of their own below it. */
export interface StorePart extends Numbers {
  owns(clientId: string): boolean
  /** records beside sessions are wanted and nothing else: others have the sessions */
  readonly isBeside?: true
  /** of a store on a database server: as whom it was taken; `index` is the writer's lane */
  readonly taken?: Incarnation | undefined
}

/** For who is alone. */
export const everything: StorePart = { index: 0, count: 1, owns: () => true }
