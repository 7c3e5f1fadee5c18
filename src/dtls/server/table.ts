// All associations of a server, and how they are found: by number, by address, by connection id.

import type { Remote } from '../effects.ts'
import { hexOf } from '../octets.ts'
import type { Association } from './association.ts'

export const addressKey = ({ address, port }: Remote): string => `${address}|${port}`

/** All ids of one server are equally long; up to six octets are a number, which is found faster than a text. */
type CidKey = number | string

function cidKey(cid: Uint8Array): CidKey {
  if (cid.length > 6) return hexOf(cid)
  let key = 0
  for (const octet of cid) key = key * 256 + octet
  return key
}

export class AssociationTable {
  readonly sessions = new Map<number, Association>()
  /** open sessions that nothing above holds, oldest first */
  readonly unused = new Set<Association>()
  readonly halfOpen = new Set<Association>()
  readonly #openAt = new Map<string, Association>()
  readonly #halfOpenAt = new Map<string, Association>()
  readonly #byCid = new Map<CidKey, Association>()

  /** The handshake under way from an address. */
  halfOpenAt(from: Remote): Association | undefined {
    return this.#halfOpenAt.get(addressKey(from))
  }

  /** The open session that was last heard from an address. */
  openAt(from: Remote): Association | undefined {
    return this.#openAt.get(addressKey(from))
  }

  byCid(cid: Uint8Array): Association | undefined {
    return this.#byCid.get(cidKey(cid))
  }

  addHalfOpen(association: Association): void {
    this.halfOpen.add(association)
    this.#halfOpenAt.set(addressKey(association.remote), association)
    const { ownCid } = association.channel
    if (ownCid.length > 0) this.#byCid.set(cidKey(ownCid), association)
  }

  /** From half-open to open; or `isRestored`: it was somewhere before, and takes no address from anybody if it is found without. */
  addOpen(association: Association, isRestored = false): void {
    this.#removeHalfOpen(association)
    this.sessions.set(association.id, association)
    this.unused.add(association)
    const { ownCid } = association.channel
    const key = addressKey(association.remote)
    if (!isRestored || ownCid.length === 0 || !this.#openAt.has(key)) this.#openAt.set(key, association)
    if (ownCid.length > 0) this.#byCid.set(cidKey(ownCid), association)
  }

  /** Another session that was there keeps everything but the address. */
  move(association: Association, to: Remote): void {
    this.#unbind(association)
    association.remote = to
    this.#openAt.set(addressKey(to), association)
  }

  setInUse(association: Association, inUse: boolean): void {
    association.inUse = inUse
    if (inUse) this.unused.delete(association)
    else this.unused.add(association)
  }

  remove(association: Association): void {
    this.#removeHalfOpen(association)
    this.sessions.delete(association.id)
    this.unused.delete(association)
    this.#unbind(association)
    const cid = cidKey(association.channel.ownCid)
    if (this.#byCid.get(cid) === association) this.#byCid.delete(cid)
  }

  #removeHalfOpen(association: Association): void {
    this.halfOpen.delete(association)
    const key = addressKey(association.remote)
    if (this.#halfOpenAt.get(key) === association) this.#halfOpenAt.delete(key)
  }

  #unbind(association: Association): void {
    const key = addressKey(association.remote)
    if (this.#openAt.get(key) === association) this.#openAt.delete(key)
  }

  /** How much is remembered, for tests that nothing leaks. */
  get sizes(): Readonly<Record<'sessions' | 'halfOpen' | 'addresses' | 'cids' | 'unused', number>> {
    return {
      sessions: this.sessions.size,
      halfOpen: this.halfOpen.size,
      addresses: this.#openAt.size + this.#halfOpenAt.size,
      cids: this.#byCid.size,
      unused: this.unused.size,
    }
  }
}
