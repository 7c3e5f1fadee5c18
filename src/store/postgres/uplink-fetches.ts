// Publishes that wait in the database, on their way to memory: whoever asks for one is told that it comes soon, and finds it the next
// time, those behind it as well. What is kept here is bounded.

import type { Place } from '../environment.ts'
import type { Slots } from '../store.ts'
import type { Query } from './engine/connection.ts'
import { octetsOf, recordIn } from './group-statement.ts'

/** Publishes of one sensor that are fetched at once. */
const AHEAD = 64
/** Octets, as they are sent, that are kept at most; the oldest go first, and are fetched again. */
const MOST_OCTETS = 16 * 1024 * 1024

const nameOf = (slot: number, number: number, key: string | number): string => `${slot} ${number} ${key}`

type Kept = { readonly hex: string } | 'gone'

export class UplinkFetches {
  readonly #query: Query
  /** by place, the oldest first */
  readonly #kept = new Map<string, Kept>()
  #octets = 0
  /** places that were asked for, and those whose answer is of no use any more since they were written meanwhile */
  readonly #asked = new Map<string, Set<string>>()
  #failure: Error | undefined

  constructor(query: Query) {
    this.#query = query
  }

  /** As `Environment.read`. */
  read({ slot, number, key }: Place): unknown {
    if (typeof key !== 'number') throw new TypeError('no key of a publish')
    const name = nameOf(slot, number, key)
    const kept = this.#kept.get(name)
    if (kept !== undefined) {
      this.#remove(name)
      return kept === 'gone' ? undefined : recordIn(slot, number, String(key), octetsOf(kept.hex))
    }
    const failure = this.#failure
    this.#failure = undefined
    if (failure !== undefined) throw failure
    const session = nameOf(slot, number, '')
    if (!this.#asked.has(session)) void this.#fetch(session, slot, number, key)
    return 'soon'
  }

  /** This place is written: what was read of it before is not true any more. */
  forget(slot: number, number: number, key: string | number): void {
    if (this.#kept.size === 0 && this.#asked.size === 0) return
    const name = nameOf(slot, number, key)
    this.#remove(name)
    this.#asked.get(nameOf(slot, number, ''))?.add(name)
  }

  /** Others have these slots from now on: what they are given back with is read anew. */
  release(slots: Slots): void {
    const isGone = (name: string): boolean => slots.has(Number.parseInt(name, 10))
    for (const name of [...this.#kept.keys()]) if (isGone(name)) this.#remove(name)
    for (const session of [...this.#asked.keys()]) if (isGone(session)) this.#asked.delete(session)
  }

  async #fetch(session: string, slot: number, number: number, key: number): Promise<void> {
    const stale = new Set<string>()
    this.#asked.set(session, stale)
    try {
      const rows = await this.#query({
        name: 'mqttsn_uplinks',
        text: `SELECT key, value FROM mqttsn_record
          WHERE slot = $1 AND session = $2 AND key <= $3 AND key > -9007199254740992 ORDER BY key DESC LIMIT ${AHEAD}`,
        values: [slot, number, key],
      })
      if (this.#asked.get(session) !== stale) return
      const first = nameOf(slot, number, key)
      if (rows[0]?.[0] !== String(key) && !stale.has(first)) this.#keep(first, 'gone')
      // the one that was asked for is the last that would make room
      for (const [found, hex] of rows.toReversed()) {
        const name = nameOf(slot, number, found ?? '')
        if (!stale.has(name)) this.#keep(name, { hex: hex ?? '' })
      }
    } catch (error) {
      this.#failure = error instanceof Error ? error : new Error(String(error))
    }
    if (this.#asked.get(session) === stale) this.#asked.delete(session)
  }

  #keep(name: string, kept: Kept): void {
    this.#remove(name)
    this.#kept.set(name, kept)
    this.#octets += name.length + (kept === 'gone' ? 0 : kept.hex.length)
    for (const oldest of this.#kept.keys()) {
      if (this.#octets <= MOST_OCTETS) break
      if (oldest !== name) this.#remove(oldest)
    }
  }

  #remove(name: string): void {
    const kept = this.#kept.get(name)
    if (kept === undefined) return
    this.#kept.delete(name)
    this.#octets -= name.length + (kept === 'gone' ? 0 : kept.hex.length)
  }
}
