// What the engine says of the nodes and the slots they own, and what a node asks of it. Types only; times are the engine's own,
// in milliseconds since 1970.

/** A process that takes part, or took part. Every start has a greater incarnation than all before it. */
export interface Identity {
  readonly node: string
  readonly incarnation: number
}

/** What a member says of itself. */
export type MemberState = 'standby' | 'active' | 'draining'

/** A member as the engine has it. */
export interface Member extends Identity {
  /** where its process shows that it is there, and in which machine; undefined where it cannot say */
  readonly address: string | undefined
  /** where other nodes reach it, `host:port`; undefined: it serves all sensors or none */
  readonly link?: string | undefined
  readonly version: string | undefined
  readonly state: MemberState
  /** until when its lease holds; -Infinity: it was deposed, or has left */
  readonly expires: number
  /** the listeners' names and what else all nodes must agree on, as one word */
  readonly config: string | undefined
}

/** Whose a slot is; `epoch` grows whenever it changes hands. */
export interface Owner extends Identity {
  readonly epoch: number
}

/** So many slots belong to this node; `epoch`: the latest of theirs. */
export interface Holding extends Identity {
  readonly slots: number
  readonly epoch: number
}

/** One look at the tables. */
export interface Look {
  /** the engine's time */
  readonly now: number
  readonly members: readonly Member[]
  /** who owns slots, those who are no members any more among them */
  readonly holdings: readonly Holding[]
  /** slots that nobody owns */
  readonly free: number
  /** the owner of each slot, by its number; undefined: nobody */
  readonly owners: readonly (Owner | undefined)[]
  /** the lease of the one who asked was renewed: it is still a member of this incarnation */
  readonly renewed: boolean
}

/** Who is to be deposed, and whether there is proof that its process is gone: without it the lease must have run out. */
export interface Orphaned extends Identity {
  readonly proven: boolean
}

/** A slot that its owner gives to another member, or takes back from a gift of which nobody knows what has become: `to` is itself. */
export interface Gift {
  readonly slot: number
  /** as the owner knows it: a gift that arrives late, when the slot has changed hands, has no effect */
  readonly epoch: number
  readonly to: Identity
}

/** What a node asks of the engine. All reject when it cannot be reached, or does not answer in time. */
export interface Engine {
  /** Looks without being a member. */
  look(): Promise<Look>
  /**
   * Becomes a member of a new incarnation, which gets whatever slots the node had before; `before`: its last incarnation, to be
   * deposed. Undefined: it was not as expected, and nothing was changed.
   */
  join(node: string, before: Orphaned | undefined): Promise<Identity | undefined>
  /** Renews the lease, if the member has not been deposed, and looks. */
  renew(self: Identity, state: MemberState): Promise<Look>
  /**
   * Deposes the owner and takes its slots; undefined: those that nobody owns. `slots`: these of them and no others. Resolves to their
   * number.
   */
  take(self: Identity, from: Orphaned | undefined, slots?: readonly number[]): Promise<number>
  /** Gives slots to members that live. Resolves to those that were given. */
  give(self: Identity, gifts: readonly Gift[]): Promise<readonly number[]>
  /** Ends the membership: its slots are free, and its writers mute. */
  leave(self: Identity): Promise<void>
}

/** Whether both are the same start of the same node. */
export const isSame = (a: Identity, b: Identity): boolean =>
  a.node === b.node && a.incarnation === b.incarnation
