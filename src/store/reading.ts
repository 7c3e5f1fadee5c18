// The records of one session, as they are read one after the other, become a session again.

import { partInMemory } from '../session/uplink/record.ts'
import { type FilterPart, joinParts, type StoredParts, type TopicPart, type WrittenParts } from './lasting.ts'
import {
  type Key,
  readFilter,
  readLasting,
  readMessage,
  readProgress,
  readTopic,
  readUplink,
  readWill,
} from './records.ts'
import type { StoredSession } from './store.ts'

/** The records of one session, as they come. */
export class Reading {
  readonly stored = new Set<Key>()
  readonly #records = new Map<Exclude<Key, number>, unknown>()
  readonly #messages: [id: number, value: unknown][] = []
  readonly #uplinks: StoredSession['uplinks'][number][] = []
  readonly #toMonotonic: (wall: number) => number
  // What was written just before another boot may lie ahead of what the clock has noted.
  readonly #now = performance.now()

  constructor(toMonotonic: (wall: number) => number) {
    this.#toMonotonic = toMonotonic
  }

  /** Throws TypeError for what is no such record. */
  take(key: Key, value: unknown): void {
    if (typeof key !== 'number') this.#records.set(key, value)
    else if (key > 0) this.#messages.push([key, value])
    else {
      const uplink = this.#past(readUplink(-key, value, this.#toMonotonic))
      this.#uplinks.push(partInMemory(uplink) ?? uplink) // only this small part is kept of most
    }
    if (typeof key === 'number' || key === 'lasting' || key === 'progress') this.stored.add(key)
  }

  /** What the records tell; undefined for a session that is not wanted. Throws TypeError if they tell of none. */
  finish(owns: (clientId: string) => boolean): { session: StoredSession; parts: WrittenParts } | undefined {
    const { record, written } = joinParts(this.#parts())
    if (!owns(record.clientId)) return undefined
    const session = {
      record: { lasting: record, progress: readProgress(this.#records.get('progress')) },
      messages: this.#messages
        .sort(([a], [b]) => a - b)
        .map(([id, value]) => this.#past(readMessage(id, value, this.#toMonotonic))),
      uplinks: this.#uplinks.sort((a, b) => a.token - b.token),
    }
    return { session, parts: written }
  }

  #past<T extends { readonly at: number }>(item: T): T {
    return item.at > this.#now ? { ...item, at: this.#now } : item
  }

  #parts(): StoredParts {
    const lasting = this.#records.get('lasting')
    const topics: [number, TopicPart][] = []
    const filters: [number, ...FilterPart][] = []
    for (const [key, value] of this.#records) {
      const [kind, number] = key.split(' ')
      if (kind === 'topic') topics.push([Number(number), readTopic(value)])
      else if (kind === 'filter') filters.push([Number(number), ...readFilter(value)])
    }
    return {
      head: readLasting(lasting),
      isWhole: Object.hasOwn(Object(lasting), 'will'),
      will: this.#records.has('will') ? readWill(this.#records.get('will')) : undefined,
      topics: topics.sort(([a], [b]) => a - b),
      filters: filters.sort(([a], [b]) => a - b),
    }
  }
}
