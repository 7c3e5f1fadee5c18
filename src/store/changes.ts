// Collects what is to be written: the last state of each key, by session. It is pure, and a write that failed can be put back.

import { nothingWritten, type WrittenParts, writtenKeys } from './lasting.ts'
import type { Key, Value } from './records.ts'
import type { SlotOf, Slots } from './store.ts'

/** One session in the store, under a number in place of its ClientId, which may be longer than a key. */
export interface Entry {
  readonly slot: number
  readonly number: number
  /** undefined: to be deleted */
  pending: Map<Key, Value | undefined>
  /** keys that may be on disk; of them only, deletions need to be written */
  readonly stored: Set<Key>
  /** the parts of its `lasting` that are on disk */
  readonly parts: WrittenParts
  /** nothing of it is to remain on disk */
  isForgotten?: boolean
  /** what the group that is being written has of it */
  writing?: ReadonlyMap<Key, Value | undefined> | undefined
}

/** What one group writes. */
export type Group = readonly { readonly entry: Entry; readonly values: ReadonlyMap<Key, Value | undefined> }[]

/** Which numbers may be given: those that leave the remainder `index` when divided by `count`. */
export interface Numbers {
  readonly index: number
  readonly count: number
}

/** Where sessions lie. */
export interface Division {
  /** the slot of a ClientId; all are in one unless told */
  readonly slotOf?: SlotOf | undefined
  /** each slot has numbers of its own; otherwise a number is given once in the whole store */
  readonly numbersBySlot?: boolean | undefined
}

/** Collects changes until a group takes them. */
export class Changes {
  readonly #entries = new Map<string, Entry>()
  readonly #dirty = new Set<Entry>()
  readonly #numbers: Numbers
  readonly #division: Division
  /** the next number, by slot where each has its own */
  readonly #next = new Map<number, number>()

  constructor(numbers: Numbers = { index: 0, count: 1 }, division: Division = {}) {
    this.#numbers = numbers
    this.#division = division
  }

  /** A session that is on disk. */
  noteStored(
    clientId: string,
    { slot, number, stored, parts }: Pick<Entry, 'slot' | 'number' | 'stored' | 'parts'>,
  ): void {
    this.#entries.set(clientId, { slot, number, pending: new Map(), stored, parts })
    this.passOverNumber(number, slot)
  }

  /** New sessions get numbers above this one: it is taken, and those below it may be. */
  passOverNumber(number: number, slot = 0): void {
    const { index, count } = this.#numbers
    if (number >= this.#nextNumber(slot))
      this.#next.set(this.#spaceOf(slot), (Math.floor(number / count) + 1) * count + index)
  }

  #spaceOf(slot: number): number {
    return this.#division.numbersBySlot ? slot : 0
  }

  #nextNumber(slot: number): number {
    return this.#next.get(this.#spaceOf(slot)) ?? this.#numbers.count + this.#numbers.index
  }

  #begin(clientId: string): Entry {
    const slot = this.#division.slotOf?.(clientId) ?? 0
    const number = this.#nextNumber(slot)
    this.#next.set(this.#spaceOf(slot), number + this.#numbers.count)
    return { slot, number, pending: new Map(), stored: new Set(), parts: nothingWritten() }
  }

  knows(clientId: string): boolean {
    return this.#entries.has(clientId)
  }

  /** Where a value is: not on disk yet, or there under the number of its session. */
  find(
    clientId: string,
    key: Key,
  ): { readonly pending: Value } | { readonly slot: number; readonly number: number } | undefined {
    const entry = this.#entries.get(clientId)
    if (entry === undefined) return undefined
    for (const values of [entry.pending, entry.writing]) {
      const pending = values?.get(key)
      if (pending !== undefined) return { pending }
      if (values?.has(key)) return undefined
    }
    const { slot, number } = entry
    return entry.stored.has(key) ? { slot, number } : undefined
  }

  /** `create`: begins a session; otherwise nothing is kept of one that was never saved. */
  keep(clientId: string, key: Key, value: Value, create = false): void {
    let entry = this.#entries.get(clientId)
    if (entry === undefined) {
      if (!create) return
      entry = this.#begin(clientId)
      this.#entries.set(clientId, entry)
    }
    entry.pending.set(key, value)
    this.#dirty.add(entry)
  }

  drop(clientId: string, key: Key): void {
    const entry = this.#entries.get(clientId)
    if (entry === undefined) return
    if (entry.stored.has(key)) {
      entry.pending.set(key, undefined)
      this.#dirty.add(entry)
    } else {
      entry.pending.delete(key)
    }
  }

  /** A later session of this ClientId gets another number, so that the two never mix. */
  forget(clientId: string): void {
    const entry = this.#entries.get(clientId)
    if (entry === undefined) return
    this.#entries.delete(clientId)
    entry.pending = new Map()
    entry.isForgotten = true
    for (const key of entry.stored) entry.pending.set(key, undefined)
    for (const key of writtenKeys(entry.parts)) entry.pending.set(key, undefined)
    if (entry.pending.size > 0) this.#dirty.add(entry)
    else this.#dirty.delete(entry)
  }

  /** Forgets what is known of sessions in these slots, also what is not written yet. */
  release(slots: Slots): void {
    for (const [clientId, { slot }] of this.#entries) if (slots.has(slot)) this.#entries.delete(clientId)
    for (const entry of this.#dirty) if (slots.has(entry.slot)) this.#dirty.delete(entry)
  }

  /** Hands over all changes. Every value in the group may be on disk from now on, even if the write fails. */
  takeGroup(): Group {
    const group: { entry: Entry; values: Map<Key, Value | undefined> }[] = []
    for (const entry of this.#dirty) {
      // the parts of a group that was still waiting to be sent when it was forgotten were written after that
      if (entry.isForgotten) for (const key of writtenKeys(entry.parts)) entry.pending.set(key, undefined)
      if (entry.pending.size === 0) continue
      group.push({ entry, values: entry.pending })
      for (const [key, value] of entry.pending) if (value !== undefined) entry.stored.add(key)
      entry.writing = entry.pending
      entry.pending = new Map()
    }
    this.#dirty.clear()
    return group
  }

  /** The group is durable: what it deleted is gone. */
  confirmGroup(group: Group): void {
    for (const { entry, values } of group) {
      entry.writing = undefined
      for (const [key, value] of values) if (value === undefined) entry.stored.delete(key)
    }
  }

  /** The group failed: all of it is to be written again, unless something newer is. */
  putBackGroup(group: Group): void {
    for (const { entry, values } of group) {
      entry.writing = undefined
      for (const [key, value] of values) if (!entry.pending.has(key)) entry.pending.set(key, value)
      this.#dirty.add(entry)
    }
  }
}
