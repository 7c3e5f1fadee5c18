// Whose a slot is, as a node sees it: what forwarding needs to know of ownership. Types only.

import type { Identity, MemberState, Owner } from './judging/engine.ts'

/** The owner of a slot; `epoch` grows whenever the slot changes hands. */
export type SlotOwner = Owner

/** A living member, as far as others can reach it. */
export interface LinkedMember extends Identity {
  /** where its links arrive, `host:port`; undefined: it has none */
  readonly address: string | undefined
  readonly state: MemberState
  readonly isSelf: boolean
}

/** The table of owners as of the last look at the engine. It is never older than the lease of this node as long as that holds. */
export interface SlotOwners {
  /** undefined: the slot is free, or nothing was seen yet */
  ownerOf(slot: number): SlotOwner | undefined
  /** those whose membership has not ended, this node among them */
  members(): readonly LinkedMember[]
  /** Calls back after a look that has changed an owner or a member; returns how to end that. Never from within this call. */
  onChange(listener: () => void): () => void
  /** Looks at the engine at once: something may have changed. Cheap to call often. */
  look(): void
}
