// Reads the journal: what its segments say together, one after the other. Pure.

import type { Key } from '../../records.ts'

/** Session number of the keys of segments, which have a sequence number in place of a name: no session has it. */
export const JOURNAL = 0

const isRecord = (value: unknown): value is object => typeof value === 'object' && value !== null

/** What segments say together, read one after the other. */
export class JournalReading {
  readonly sequences: number[] = []
  /** the last state of each record, by session and key */
  readonly records = new Map<number, Map<Key, object>>()

  /** Takes the next one. Throws TypeError if it is none. */
  take(sequence: number, entries: unknown): void {
    this.sequences.push(sequence)
    if (!Array.isArray(entries)) throw new TypeError('a segment of the journal is no list')
    for (const entry of entries) this.#apply(entry)
  }

  #apply(entry: unknown): void {
    if (!Array.isArray(entry)) throw new TypeError('an entry of the journal is no list')
    const [number, key, record, isChange] = entry
    if (!Number.isSafeInteger(number) || !Number.isSafeInteger(key) || key >= 0)
      throw new TypeError('an entry of the journal has no key')
    const ofSession = this.records.get(number) ?? new Map<Key, object>()
    this.records.set(number, ofSession)
    const before = ofSession.get(key)
    if (record === undefined || record === null) ofSession.delete(key)
    else if (!isRecord(record)) throw new TypeError('an entry of the journal is no record')
    else if (isChange !== true) ofSession.set(key, record)
    // changes of what is not in the journal any more: it is over, or has a value of its own, which is newer
    else if (before !== undefined) ofSession.set(key, { ...before, ...record })
  }
}
