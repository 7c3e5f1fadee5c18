// Publishes that are under way for a moment only: a group has all of its own in one value, a segment of the journal, since a value
// each would cost far more. Of later writes a segment has what has changed, without the payload. The oldest segment goes when
// nothing of it is under way any more; what takes longer gets a value of its own, like everything else. Pure.

import type { Numbers } from '../../changes.ts'
import type { Key } from '../../records.ts'
import { changesOf, isBrief } from './brief.ts'
import type { JournalReading } from './reading.ts'

/** Segments that may be there, and entries in them together: so much is read again after a crash. */
const MOST = { segments: 500, entries: 20_000 } as const

/** A value of its own: the record, or undefined to delete it. */
export type OwnRecord = readonly [key: [number, Key], record: object | undefined]

/** In a segment: a record, what has changed of one, or that it is deleted. */
type Entry =
  | readonly [number: number, key: Key, record: object]
  | readonly [number: number, key: Key, changes: object, isChange: true]
  | readonly [number: number, key: Key]

interface Segment {
  readonly sequence: number
  readonly entries: number
  readonly live: Set<Live>
  /** how many of these the group deletes that is being planned */
  ending: number
}

/** A record that is in the journal alone. */
interface Live {
  readonly id: string
  readonly key: [number, Key]
  /** as it was written last */
  record: object
  /** where all of it is; what has changed since is in later ones */
  segment: Segment
}

/** A group, by where each of its records goes. */
interface Division {
  readonly own: OwnRecord[]
  readonly added: { readonly id: string; readonly key: [number, Key]; readonly record: object }[]
  readonly updated: { readonly live: Live; readonly record: object }[]
  readonly ended: Set<Live>
  /** those that have no value of their own any more, if they had one */
  readonly gone: readonly string[]
}

/** What one transaction does; nothing of it has happened before `confirm`. */
export interface JournalPlan {
  readonly own: readonly OwnRecord[]
  readonly segment: { readonly sequence: number; readonly entries: readonly Entry[] } | undefined
  /** sequence numbers of segments that are not needed any more */
  readonly over: readonly number[]
  /** It is on the disk. */
  confirm(): void
}

const nothing = { own: [], over: [] } as const

const idOf = ([number, key]: readonly [number, Key]): string => `${number} ${key}`

/** The journal of one writer. */
export class Journal {
  readonly #numbers: Numbers
  readonly #most: Readonly<Record<keyof typeof MOST, number>>
  /** the oldest first; they go in this order, since what one deletes may be in those before it */
  readonly #segments: Segment[] = []
  /** entries in all of these */
  #entries = 0
  readonly #live = new Map<string, Live>()
  /** brief ones that may have values of their own all the same */
  readonly #settled = new Set<string>()
  /** of the life before, and not written yet */
  #inherited: { readonly own: readonly OwnRecord[]; readonly over: readonly number[] } = nothing
  #next: number
  /** the next transaction empties it: the last one failed, and may be on the disk all the same, or others want to read it */
  #isEmptied = false

  /** Of several writers each has sequence numbers of its own. */
  constructor(numbers: Numbers, most: Readonly<Record<keyof typeof MOST, number>> = MOST) {
    this.#numbers = numbers
    this.#most = most
    this.#next = numbers.count + numbers.index
  }

  /** A record that was found with a value of its own. */
  noteOwn(key: readonly [number, Key], record: unknown): void {
    if (typeof record === 'object' && record !== null && isBrief(record)) this.#settled.add(idOf(key))
  }

  /** Takes up what a life before has left of these sessions: the next transaction gives each record a value of its own. */
  inherit({ sequences, records }: JournalReading, sessions: Iterable<number>): void {
    const { index, count } = this.#numbers
    const over = sequences.filter(
      (sequence) => sequence % count === index % count && this.#isForeign(sequence),
    )
    const own: OwnRecord[] = []
    for (const number of sessions) {
      for (const [key, record] of records.get(number) ?? []) {
        const id = idOf([number, key])
        if (this.#live.has(id)) continue
        own.push([[number, key], record])
        this.#settled.add(id)
      }
    }
    this.#inherited = { own: [...this.#inherited.own, ...own], over: [...this.#inherited.over, ...over] }
    const last = Math.max(0, ...over.slice(-1))
    while (this.#next <= last) this.#next += count
  }

  /** Not of this life. */
  #isForeign(sequence: number): boolean {
    return this.#segments.every((segment) => segment.sequence !== sequence)
  }

  /** The next transaction gives everything a value of its own: others are about to read it. */
  empty(): void {
    this.#isEmptied = true
  }

  /** Whether there is something to write without a group. */
  get owes(): boolean {
    const { own, over } = this.#inherited
    return own.length + over.length > 0 || (this.#isEmptied && this.#segments.length > 0)
  }

  /** What a transaction does for these records, and for what has been there for long. */
  plan(records: readonly OwnRecord[]): JournalPlan {
    const division = this.#divide(records)
    const { added, updated, ended } = division
    const { count, moved } = this.#segmentsOver(ended)
    const sequence = this.#next
    const firstKept = this.#segments[count]?.sequence ?? sequence
    const own = [...this.#inherited.own, ...division.own]
    const entries: Entry[] = []
    const rebased: Live[] = []
    for (const { key, record } of added) entries.push([key[0], key[1], record])
    for (const { live, record } of updated) {
      const [number, key] = live.key
      const changes = changesOf(live.record, record)
      if (moved.delete(live)) own.push([live.key, record])
      else if (changes !== undefined) entries.push([number, key, changes, true])
      else {
        rebased.push(live)
        entries.push([number, key, record])
      }
    }
    for (const { segment, key } of ended) if (segment.sequence >= firstKept) entries.push(key)
    for (const { key, record } of moved) own.push([key, record])
    const over = [...this.#inherited.over, ...this.#segments.slice(0, count).map((one) => one.sequence)]
    if (this.#isEmptied && entries.length === 0) over.push(sequence)
    this.#isEmptied ||= entries.length > 0 || over.length > 0
    const segment = { sequence, entries: entries.length, live: new Set<Live>(), ending: 0 }
    return {
      own,
      over,
      segment: entries.length === 0 ? undefined : { sequence, entries },
      confirm: () => {
        this.#isEmptied = false
        this.#inherited = nothing
        for (const live of ended) this.#forget(live)
        for (const id of division.gone) this.#settled.delete(id)
        for (const { live, record } of updated) live.record = record
        for (const live of rebased) {
          live.segment.live.delete(live)
          live.segment = segment
          segment.live.add(live)
        }
        for (const gone of this.#segments.splice(0, count)) {
          this.#entries -= gone.entries
          for (const live of [...gone.live]) this.#forget(live)
        }
        if (segment.entries === 0) return
        for (const { id, key, record } of added) {
          const live = { id, key, record, segment }
          this.#live.set(id, live)
          segment.live.add(live)
        }
        this.#segments.push(segment)
        this.#entries += segment.entries
        this.#next += this.#numbers.count
      },
    }
  }

  #forget(live: Live): void {
    this.#live.delete(live.id)
    live.segment.live.delete(live)
  }

  #divide(records: readonly OwnRecord[]): Division {
    const own: OwnRecord[] = []
    const added: Division['added'] = []
    const updated: Division['updated'] = []
    const ended = new Set<Live>()
    const gone: string[] = []
    for (const one of records) {
      const [key, record] = one
      if (typeof key[1] !== 'number' || key[1] > 0) {
        own.push(one)
        continue
      }
      const id = idOf(key)
      const live = this.#live.get(id)
      if (record === undefined) {
        if (live !== undefined) ended.add(live)
        if (live === undefined || this.#settled.has(id)) {
          own.push(one)
          gone.push(id)
        }
      } else if (live !== undefined) updated.push({ live, record })
      else if (isBrief(record) && !this.#settled.has(id)) added.push({ id, key, record })
      else own.push(one)
    }
    return { own, added, updated, ended, gone }
  }

  /** How many of the oldest segments are over, and what of them is still under way, which needs values of its own. */
  #segmentsOver(ended: ReadonlySet<Live>): { count: number; moved: Set<Live> } {
    const segments = this.#segments
    for (const { segment } of ended) segment.ending += 1
    let count = 0
    const isOver = (one: Segment | undefined) => one !== undefined && one.live.size === one.ending
    while (isOver(segments[count])) count += 1
    const isFull = segments.length - count >= this.#most.segments || this.#entries >= this.#most.entries
    const moving = segments.slice(count, this.#isEmptied ? segments.length : isFull ? count + 1 : count)
    const moved = new Set<Live>()
    for (const { live: all } of moving) {
      for (const live of all) {
        if (ended.has(live)) continue
        moved.add(live)
        this.#settled.add(live.id)
      }
    }
    count += moving.length
    for (const { segment } of ended) segment.ending = 0
    return { count, moved }
  }
}
