// Reads the whole store at the start. A record that cannot be read stops the start.

import { partInMemory } from '../../session/uplink/record.ts'
import type { Changes } from '../changes.ts'
import {
  type FilterPart,
  joinParts,
  type StoredParts,
  type TopicPart,
  type WrittenParts,
} from '../lasting.ts'
import {
  type Key,
  readFilter,
  readLasting,
  readMessage,
  readProgress,
  readTopic,
  readUplink,
  readWill,
} from '../records.ts'
import { type StoredSession, StoreError } from '../store.ts'
import { ASIDE } from './asides.ts'
import { ABOUT } from './environment.ts'
import type { StoreClock } from './store-clock.ts'
import { type Database, encoderOf, openValue } from './values.ts'

const PROGRAM = 'mqtt-sn-gateway'
/** 1: a session's lasting part in one value, no checksums; it is read, and becomes 2 */
const FORMAT = 2

const isKey = (key: unknown): key is [number, Key] =>
  Array.isArray(key) &&
  key.length === 2 &&
  Number.isSafeInteger(key[0]) &&
  (typeof key[1] === 'string'
    ? (key[0] === ASIDE ? /^aside ./ : /^(lasting|progress|will|(topic|filter) [0-9]+)$/).test(key[1])
    : Number.isSafeInteger(key[1]) && key[1] !== 0)

/** The records of one session as they are read, one after the other: in order of keys, publishes first. */
class Reading {
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

  take(key: Key, value: unknown): void {
    if (typeof key !== 'number') this.#records.set(key, value)
    else if (key > 0) this.#messages.push([key, value])
    else {
      const uplink = this.#past(readUplink(-key, value, this.#toMonotonic))
      this.#uplinks.push(partInMemory(uplink) ?? uplink) // only this small part is kept of most
    }
    if (typeof key === 'number' || key === 'lasting' || key === 'progress') this.stored.add(key)
  }

  /** What the records tell; undefined for a session that is not wanted. */
  finish(owns: (clientId: string) => boolean): { session: StoredSession; parts: WrittenParts } | undefined {
    const { record, written } = joinParts(this.#parts())
    if (!owns(record.clientId)) return undefined
    const session = {
      record: { lasting: record, progress: readProgress(this.#records.get('progress')) },
      messages: this.#messages.map(([id, value]) => this.#past(readMessage(id, value, this.#toMonotonic))),
      uplinks: this.#uplinks.reverse(), // they were read from the highest token on
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

export interface LoadTargets {
  /** whether a session is wanted; others stay as they are */
  readonly owns: (clientId: string) => boolean
  /** takes the records beside sessions */
  readonly beside: Map<string, unknown>
}

/**
 * Everything stored, and tells `changes` what is on disk. An empty database becomes a store.
 * @param name the file, as people know it
 * @param clock by which its times are read
 * @throws StoreError
 */
export async function loadSessions(
  database: Database,
  changes: Changes,
  name: string,
  { toMonotonic }: StoreClock,
  { owns, beside }: LoadTargets,
): Promise<StoredSession[]> {
  const sessions: StoredSession[] = []
  const encoder = encoderOf(database)
  let about: unknown
  let isEmpty = true
  let number: number | undefined
  let reading = new Reading(toMonotonic)

  function finish(): void {
    if (number === undefined) return
    changes.passOverNumber(number)
    const found = reading.finish(owns)
    if (found === undefined) return
    const { clientId } = found.session.record.lasting
    if (changes.knows(clientId)) throw new TypeError('two sessions of one ClientId')
    changes.noteStored(clientId, number, reading.stored, found.parts)
    sessions.push(found.session)
  }

  try {
    about = database.get(ABOUT)
    // value by value, since the store may be larger than memory
    for (const { key, value } of database.getRange()) {
      if (key === ABOUT) continue
      isEmpty = false
      if (!isKey(key)) throw new TypeError('an unknown key')
      if (about !== undefined) insistOnFormat(about, name)
      if (key[0] === ASIDE) {
        beside.set(String(key[1]).slice('aside '.length), openValue(encoder, key, value))
        continue
      }
      if (key[0] !== number) {
        finish()
        number = key[0]
        reading = new Reading(toMonotonic)
      }
      reading.take(key[1], openValue(encoder, key, value))
    }
    finish()
  } catch (cause) {
    throw cause instanceof StoreError ? cause : unreadable(name, cause)
  }
  if (about !== undefined || !isEmpty) insistOnFormat(about, name)
  if (formatOf(about) !== FORMAT)
    await database.put(ABOUT, { ...Object(about), format: FORMAT, program: PROGRAM })
  return sessions
}

const formatOf = (about: unknown): unknown => Object(about).format

function insistOnFormat(about: unknown, name: string): void {
  const { format, program } = typeof about === 'object' && about !== null ? Object(about) : {}
  if (program !== PROGRAM || !Number.isSafeInteger(format)) {
    throw new StoreError(
      `${name} belongs to another program: set store.path to a folder for this gateway alone`,
    )
  }
  if (format > FORMAT) {
    throw new StoreError(
      `${name} was written by a newer version of this gateway (format ${format}, this version reads ${FORMAT}): ` +
        'install that version again, or move the folder away to start without its sessions',
    )
  }
}

const unreadable = (name: string, cause: unknown): StoreError =>
  new StoreError(
    `${name} cannot be read (${cause instanceof Error ? cause.message : cause}): ` +
      'restore it from a copy, or move the folder away to start without its sessions',
  )
