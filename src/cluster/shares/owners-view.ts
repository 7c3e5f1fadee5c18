// The table of owners as of the last look, for whoever sends messages on to them.

import { type Identity, isSame, type Look, type Member, type MemberState } from '../judging/engine.ts'
import type { LinkedMember, SlotOwner, SlotOwners } from '../owners.ts'

/** One for the life of a node. */
export class OwnersView implements SlotOwners {
  readonly #look: () => void
  #owners: readonly (SlotOwner | undefined)[] = []
  #members: readonly LinkedMember[] = []
  readonly #listeners = new Set<() => void>()

  /** `look`: looks at the engine at once */
  constructor(look: () => void) {
    this.#look = look
  }

  ownerOf(slot: number): SlotOwner | undefined {
    return this.#owners[slot]
  }

  members(): readonly LinkedMember[] {
    return this.#members
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  look(): void {
    this.#look()
  }

  /** Takes over what a look has shown. `state`: of this node, which knows it better. */
  note({ owners }: Look, living: readonly Member[], self: Identity, state: MemberState): void {
    const members = living.map((one): LinkedMember => {
      const isSelf = isSame(one, self)
      const { node, incarnation, link } = one
      return { node, incarnation, address: link, state: isSelf ? state : one.state, isSelf }
    })
    const isOld =
      members.length === this.#members.length &&
      members.every((one, i) => isEqual(one, this.#members[i])) &&
      owners.length === this.#owners.length &&
      owners.every((owner, slot) => isUnchanged(owner, this.#owners[slot]))
    this.#owners = owners
    this.#members = members
    if (!isOld) for (const told of this.#listeners) told()
  }
}

const isEqual = (a: LinkedMember, b: LinkedMember | undefined): boolean =>
  b !== undefined && isSame(a, b) && a.address === b.address && a.state === b.state

const isUnchanged = (a: SlotOwner | undefined, b: SlotOwner | undefined): boolean =>
  a === undefined || b === undefined ? a === b : a.epoch === b.epoch && isSame(a, b)
