// Sessions of DTLS that sensors use whom other nodes serve: the node that has the session keeps it as long as it hears that.

import type { SlotOwners } from '../../../cluster/owners.ts'
import { slotOfNumber } from '../../../dtls/slots.ts'
import type { AssociationUse } from '../../../gateway/dtls/association-use.ts'
import { associationIn, type PeerKey } from '../../../session/peers.ts'

/** Milliseconds between two rounds in which others are told, and after which what was not told again is over. */
const ROUND = 60_000
const LASTS = 2.5 * ROUND
/** Sessions in one message. */
const MOST = 4096

export interface RemoteUseParts {
  readonly self: string
  readonly owners: Pick<SlotOwners, 'ownerOf'>
  readonly use: Pick<AssociationUse, 'add' | 'remove' | 'keys'>
  tell(node: string, keys: readonly PeerKey[]): void
}

export class RemoteUse {
  readonly #parts: RemoteUseParts
  /** sessions that are used elsewhere, and until when that holds */
  readonly #until = new Map<PeerKey, number>()
  #roundAt = 0

  constructor(parts: RemoteUseParts) {
    this.#parts = parts
  }

  /** Another node says that its sensors use these. */
  note(keys: readonly PeerKey[], now: number): void {
    for (const key of keys) {
      if (typeof key !== 'number' || key >= 0) continue // a plain address
      if (!this.#until.has(key)) this.#parts.use.add(key)
      this.#until.set(key, now + LASTS)
    }
  }

  /** Now and then the others are told what is used here, and what they have not said again is forgotten. */
  tick(now: number): void {
    if (now < this.#roundAt) return
    this.#roundAt = now + ROUND
    for (const [key, until] of this.#until) {
      if (until > now) continue
      this.#until.delete(key)
      this.#parts.use.remove(key)
    }
    const { self, owners, use, tell } = this.#parts
    const used = new Map<string, PeerKey[]>()
    for (const key of use.keys()) {
      const { number = 0 } = associationIn(key) ?? {}
      const slot = slotOfNumber(number)
      const owner = slot === undefined ? undefined : owners.ownerOf(slot)?.node
      if (owner === undefined || owner === self) continue
      const keys = used.get(owner)
      if (keys === undefined) used.set(owner, [key])
      else keys.push(key)
    }
    for (const [node, keys] of used)
      for (let at = 0; at < keys.length; at += MOST) tell(node, keys.slice(at, at + MOST))
  }
}
