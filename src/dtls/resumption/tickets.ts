// Session tickets [5077 4]: the state of a session, sealed with a key of the server's, kept by the client.

import type { Chance } from '../crypto/chance.ts'
import { openTicket, sealTicket } from '../crypto/primitives.ts'
import { concatOctets, sameOctets } from '../octets.ts'
import { type ResumableState, readState, writeState } from './state.ts'

const NAME_LENGTH = 4
const NONCE_LENGTH = 12
const KEY_LENGTH = 32
const ROTATE_AFTER = 12 * 3_600_000

/** One key: its name stands in front of the tickets that it sealed. */
export interface TicketKey {
  readonly name: Uint8Array
  readonly key: Uint8Array
}

export class Tickets {
  readonly #chance: Chance
  /** newest first; the one before is still read */
  #keys: TicketKey[] = []
  #rotateAt = 0
  /** told when there is a new key, for a store */
  onKeys: (keys: readonly TicketKey[]) => void = () => {}

  constructor(chance: Chance) {
    this.#chance = chance
  }

  /** name(4) nonce(12) ciphertext tag(16) */
  seal(state: ResumableState, now: number): Uint8Array {
    if (this.#keys.length === 0 || now >= this.#rotateAt) this.#rotate(now)
    const [newest] = this.#keys
    if (newest === undefined) throw new Error('there is no ticket key')
    const nonce = this.#chance.random(NONCE_LENGTH)
    const { name, key } = newest
    return concatOctets(name, nonce, sealTicket(key, nonce, name, writeState(state)))
  }

  /** Undefined for tickets of other keys, and for what is none. */
  open(ticket: Uint8Array): ResumableState | undefined {
    const name = ticket.subarray(0, NAME_LENGTH)
    const found = this.#keys.find((key) => sameOctets(key.name, name))
    if (found === undefined) return undefined
    const nonce = ticket.subarray(NAME_LENGTH, NAME_LENGTH + NONCE_LENGTH)
    if (nonce.length < NONCE_LENGTH) return undefined
    const state = openTicket(found.key, nonce, found.name, ticket.subarray(NAME_LENGTH + NONCE_LENGTH))
    return state && readState(state)
  }

  /** Those of an earlier process are still read; what is sealed from now on has a key of its own. */
  use(keys: readonly TicketKey[]): void {
    this.#keys = keys
      .filter(({ name, key }) => name.length === NAME_LENGTH && key.length === KEY_LENGTH)
      .slice(0, 1)
    this.#rotateAt = 0
  }

  #rotate(now: number): void {
    const key = { name: this.#chance.random(NAME_LENGTH), key: this.#chance.random(KEY_LENGTH) }
    this.#keys = [key, ...this.#keys.slice(0, 1)]
    this.#rotateAt = now + ROTATE_AFTER
    this.onKeys(this.#keys)
  }
}
