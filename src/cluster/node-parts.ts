// What a node works with. Types only.

import type { Engine, Member } from './judging/engine.ts'
import type { LeaseEnd } from './lease-end.ts'
import type { NodeLog } from './node-words.ts'
import type { SignWatch } from './sign-of-life.ts'

/** What a node works with. */
export interface NodeParts {
  readonly name: string
  /** milliseconds */
  readonly lease: number
  /** it is one of several that serve, each a share of the slots: milliseconds for which members must be the same before slots move */
  readonly settle?: number | undefined
  readonly engine: Engine
  readonly end: LeaseEnd
  readonly signs: Pick<SignWatch, 'watch' | 'isProven'>
  readonly log: NodeLog
  /** told once when others have taken its place: nothing may be done any more but to end */
  onDeposed(why: string): void
  /** throws an Error that says why this node cannot be one of these; `now`: the engine's time */
  admits?(members: readonly Member[], now: number): void
}

/** What it is doing; `joining`: it is no member yet. */
export type NodeState = 'joining' | 'standby' | 'taking-over' | 'active' | 'draining' | 'deposed' | 'left'
