// The tables of a cluster in which every node has its share, in memory and at once, with the conditions of the real statements.

import {
  type Gift,
  type Identity,
  isSame,
  type Look,
  type Member,
  type MemberState,
  type Orphaned,
  type Owner,
} from '../../../src/cluster/judging/engine.ts'
import { SLOTS } from '../../../src/sessions/slots.ts'

/** Times are the engine's, given by the caller. */
export class VirtualTable {
  readonly #lease: number
  readonly #members = new Map<string, Member>()
  readonly #lanes = new Map<string, { incarnation: number; token: number | undefined }>()
  readonly owners = Array.from({ length: SLOTS }, (): Owner | undefined => undefined)
  readonly #epochs = new Array<number>(SLOTS).fill(0)
  #sequence = 0
  /** who has committed, by slot and epoch */
  readonly commits = new Map<string, Set<number>>()
  /** for tests of the test: groups of deposed writers are let in; gifts that arrive late have an effect */
  isFenced = true
  checksEpochs = true

  constructor(lease: number) {
    this.#lease = lease
  }

  #mine(self: Identity): Member | undefined {
    const own = this.#members.get(self.node)
    return own !== undefined && isSame(own, self) && own.expires !== Number.NEGATIVE_INFINITY
      ? own
      : undefined
  }

  look(now: number, self?: Identity, state?: MemberState): Look {
    const own = self && this.#mine(self)
    const members = [...this.#members.values()] // as a statement sees them: as they were before it
    if (own !== undefined)
      this.#members.set(own.node, { ...own, state: state ?? own.state, expires: now + this.#lease })
    return { now, renewed: own !== undefined, members, holdings: [], free: 0, owners: [...this.owners] }
  }

  #assign(slot: number, { node, incarnation }: Identity): void {
    const epoch = (this.#epochs[slot] ?? 0) + 1
    this.#epochs[slot] = epoch
    this.owners[slot] = { node, incarnation, epoch }
  }

  #mayDepose(now: number, { node, incarnation, proven }: Orphaned): boolean {
    const member = this.#members.get(node)
    return member !== undefined && member.incarnation === incarnation && (proven || member.expires < now)
  }

  join(now: number, node: string, before: Orphaned | undefined): Identity | undefined {
    if (before === undefined ? this.#members.has(node) : !this.#mayDepose(now, before)) return undefined
    const self = { node, incarnation: ++this.#sequence }
    const rest = { address: undefined, link: `${node}:1`, version: undefined, config: undefined }
    this.#members.set(node, { ...self, ...rest, state: 'standby', expires: now + this.#lease })
    this.#lanes.set(node, { incarnation: self.incarnation, token: ++this.#sequence })
    for (const [slot, owner] of this.owners.entries()) if (owner?.node === node) this.#assign(slot, self)
    return self
  }

  take(now: number, self: Identity, from: Orphaned | undefined, slots: readonly number[]): number {
    if (from !== undefined) {
      if (!this.#mayDepose(now, from)) return 0
      const member = this.#members.get(from.node)
      if (member !== undefined) this.#members.set(from.node, { ...member, expires: Number.NEGATIVE_INFINITY })
      const lane = this.#lanes.get(from.node)
      if (lane?.incarnation === from.incarnation) lane.token = undefined
    }
    if (this.#mine(self) === undefined) return 0
    const got = slots.filter((slot) => {
      const owner = this.owners[slot]
      return from === undefined ? owner === undefined : owner !== undefined && isSame(owner, from)
    })
    for (const slot of got) this.#assign(slot, self)
    return got.length
  }

  give(now: number, self: Identity, gifts: readonly Gift[]): readonly number[] {
    if (this.#mine(self) === undefined) return []
    const got = gifts.filter(({ slot, epoch, to }) => {
      const [owner, receiver] = [this.owners[slot], this.#mine(to)]
      if (owner === undefined || !isSame(owner, self)) return false
      if (this.checksEpochs && owner.epoch !== epoch) return false
      return receiver !== undefined && receiver.expires > now
    })
    for (const { slot, to } of got) this.#assign(slot, to)
    return got.map(({ slot }) => slot)
  }

  leave(self: Identity): void {
    if (this.#mine(self) === undefined) return
    this.#members.delete(self.node)
    this.#lanes.delete(self.node)
    for (const [slot, owner] of this.owners.entries())
      if (owner !== undefined && isSame(owner, self)) this.owners[slot] = undefined
  }

  /** A group of writes about sensors of these slots; false: its writer was deposed. */
  commit(self: Identity, slots: Iterable<number>): boolean {
    const lane = this.#lanes.get(self.node)
    const isIn = lane?.incarnation === self.incarnation && lane.token !== undefined
    if (this.isFenced && !isIn) return false
    for (const slot of slots) {
      const key = `${slot} in ${this.#epochs[slot]}`
      const committed = this.commits.get(key) ?? new Set()
      committed.add(self.incarnation)
      this.commits.set(key, committed)
    }
    return true
  }
}
