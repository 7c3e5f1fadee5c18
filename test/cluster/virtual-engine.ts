// The tables of a cluster and what is asked of them, in memory and at once, with the conditions of the real statements.

import {
  type Identity,
  isSame,
  type Look,
  type Member,
  type MemberState,
  type Orphaned,
} from '../../src/cluster/judging/engine.ts'
import { allSlots, SLOTS } from '../../src/sessions/slots.ts'

interface Slots {
  owner: Identity | undefined
  epoch: number
}

/** Times are the engine's, given by the caller. */
export class VirtualEngine {
  readonly #lease: number
  readonly #members = new Map<string, Member>()
  /** by node: the incarnation that may write, and its token; undefined: mute */
  readonly #lanes = new Map<string, { incarnation: number; token: number | undefined }>()
  readonly #slots: Slots = { owner: undefined, epoch: 0 } // all of them move together in a pair
  #told: (Slots & { readonly owners: Look['owners'] }) | undefined
  #sequence = 0
  /** who has committed in each epoch */
  readonly commits = new Map<number, Set<number>>()
  /** for a test of the test: groups of deposed writers are let in */
  isFenced = true

  constructor(lease: number) {
    this.#lease = lease
  }

  get owner(): Identity | undefined {
    return this.#slots.owner
  }

  look(now: number, self?: Identity, state?: MemberState): Look {
    let renewed = false
    const own = self && this.#members.get(self.node)
    if (self !== undefined && own !== undefined && isSame(own, self) && own.expires !== -Infinity) {
      renewed = true
      this.#members.set(self.node, { ...own, state: state ?? own.state, expires: now + this.#lease })
    }
    const { owner, epoch } = this.#slots
    return {
      now,
      renewed,
      members: [...this.#members.values()],
      holdings: owner === undefined ? [] : [{ ...owner, slots: SLOTS, epoch }],
      free: owner === undefined ? SLOTS : 0,
      owners: this.#owners,
    }
  }

  /** made once for each owner */
  get #owners(): Look['owners'] {
    const { owner, epoch } = this.#slots
    const told = this.#told
    if (told !== undefined && told.owner === owner && told.epoch === epoch) return told.owners
    const owners = allSlots.map(() => owner && { ...owner, epoch })
    this.#told = { owner, epoch, owners }
    return owners
  }

  #give(owner: Identity): void {
    this.#slots.owner = { node: owner.node, incarnation: owner.incarnation }
    this.#slots.epoch += 1
  }

  #mayDepose(now: number, { node, incarnation, proven }: Orphaned): boolean {
    const member = this.#members.get(node)
    if (member === undefined || member.incarnation !== incarnation) return false
    return proven || member.expires < now
  }

  join(now: number, node: string, before: Orphaned | undefined): Identity | undefined {
    if (before === undefined ? this.#members.has(node) : !this.#mayDepose(now, before)) return undefined
    const self = { node, incarnation: ++this.#sequence }
    const rest = { address: undefined, version: undefined, config: undefined }
    this.#members.set(node, { ...self, ...rest, state: 'standby', expires: now + this.#lease })
    this.#lanes.set(node, { incarnation: self.incarnation, token: ++this.#sequence })
    if (this.#slots.owner?.node === node) this.#give(self)
    return self
  }

  take(now: number, self: Identity, from: Orphaned | undefined): number {
    const { owner } = this.#slots
    const own = this.#members.get(self.node)
    if (own === undefined || !isSame(own, self) || own.expires === -Infinity) return 0
    if (from === undefined) {
      if (owner !== undefined) return 0
      this.#give(self)
      return SLOTS
    }
    if (!this.#mayDepose(now, from)) return 0
    const member = this.#members.get(from.node)
    if (member !== undefined) this.#members.set(from.node, { ...member, expires: -Infinity })
    const lane = this.#lanes.get(from.node)
    if (lane?.incarnation === from.incarnation) lane.token = undefined
    if (owner === undefined || !isSame(owner, from)) return 0
    this.#give(self)
    return SLOTS
  }

  leave(self: Identity): void {
    const own = this.#members.get(self.node)
    if (own === undefined || !isSame(own, self)) return
    this.#members.delete(self.node)
    this.#lanes.delete(self.node)
    if (this.#slots.owner !== undefined && isSame(this.#slots.owner, self)) this.#slots.owner = undefined
  }

  /** A group of writes; false: its writer was deposed. */
  commit(self: Identity): boolean {
    const lane = this.#lanes.get(self.node)
    const isIn = lane?.incarnation === self.incarnation && lane.token !== undefined
    if (this.isFenced && !isIn) return false
    const { owner, epoch } = this.#slots
    if (owner === undefined) return isIn
    const committed = this.commits.get(epoch) ?? new Set()
    committed.add(self.incarnation)
    this.commits.set(epoch, committed)
    return true
  }
}
