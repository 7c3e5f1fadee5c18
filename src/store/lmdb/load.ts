// Reads the store. A record that cannot be read stops the start.

import type { FoundSession } from '../environment.ts'
import { Pace } from '../pace.ts'
import { Reading } from '../reading.ts'
import type { Key } from '../records.ts'
import { type SlotOf, StoreError } from '../store.ts'
import { ABOUT, ASIDE, type Database, encoderOf, recordIn } from './database.ts'
import type { Journal } from './journal/journal.ts'
import { JOURNAL, JournalReading } from './journal/reading.ts'
import type { StoreClock } from './store-clock.ts'

const PROGRAM = 'mqtt-sn-gateway'
/** 1: a session's lasting part in one value, no checksums; 2: no journal. They are read, and become 3 */
const FORMAT = 3

const isKey = (key: unknown): key is [number, Key] =>
  Array.isArray(key) &&
  key.length === 2 &&
  Number.isSafeInteger(key[0]) &&
  (typeof key[1] === 'string'
    ? (key[0] === ASIDE ? /^aside ./ : /^(lasting|progress|will|(topic|filter) [0-9]+)$/).test(key[1])
    : Number.isSafeInteger(key[1]) && (key[0] === JOURNAL ? key[1] > 0 : key[1] !== 0))

/** What is wanted of a store, and what is told besides. */
export interface LoadParts {
  /** whether a session is wanted; others stay as they are */
  readonly owns: (clientId: string) => boolean
  readonly slotOf: SlotOf
  /** takes the records beside sessions */
  readonly beside?: Map<string, unknown>
  /** takes the number of each session, wanted or not */
  readonly onNumber?: (number: number) => void
  /** takes what is under way; undefined: others have the sessions */
  readonly journal: Journal | undefined
}

/**
 * All sessions, piece by piece.
 * @throws TypeError for what cannot be read
 */
export async function* readSessions(
  database: Database,
  { toMonotonic }: StoreClock,
  { owns, slotOf, beside, onNumber, journal }: LoadParts,
): AsyncIterable<readonly FoundSession[]> {
  const encoder = encoderOf(database)
  const pace = new Pace()
  const known = new Set<string>()
  let piece: FoundSession[] = []
  let number: number | undefined
  let reading = new Reading(toMonotonic)
  const brief = new JournalReading()
  const owned: number[] = []

  function finish(): void {
    if (number === undefined) return
    onNumber?.(number)
    for (const [key, record] of brief.records.get(number) ?? []) reading.take(key, record)
    const found = reading.finish(owns)
    if (found === undefined) return
    const { clientId } = found.session.record.lasting
    if (known.has(clientId)) throw new TypeError('two sessions of one ClientId')
    known.add(clientId)
    owned.push(number)
    piece.push({ ...found, slot: slotOf(clientId), number, stored: reading.stored })
  }

  // value by value, since the store may be larger than memory
  for (const { key, value } of database.getRange()) {
    if (key === ABOUT) continue
    if (!isKey(key)) throw new TypeError('an unknown key')
    const record = recordIn(encoder, key, value)
    if (key[0] === JOURNAL && typeof key[1] === 'number') {
      brief.take(key[1], record) // before all sessions
      continue
    }
    if (key[0] === ASIDE) {
      beside?.set(String(key[1]).slice('aside '.length), record)
      continue
    }
    if (key[0] !== number) {
      finish()
      if (pace.isOver()) {
        yield piece
        piece = []
        await pace.next()
      }
      number = key[0]
      reading = new Reading(toMonotonic)
    }
    reading.take(key[1], record)
    journal?.noteOwn(key, record)
  }
  finish()
  journal?.inherit(brief, owned)
  yield piece
}

/**
 * Everything stored; an empty database becomes a store.
 * @param name the file, as people know it
 * @param clock by which its times are read
 * @throws StoreError
 */
export async function readStore(
  database: Database,
  name: string,
  clock: StoreClock,
  parts: LoadParts,
): Promise<(readonly FoundSession[])[]> {
  const pieces: (readonly FoundSession[])[] = []
  let about: unknown
  try {
    about = database.get(ABOUT)
    if (about !== undefined) insistOnFormat(about, name)
    for await (const piece of readSessions(database, clock, parts)) pieces.push(piece)
  } catch (cause) {
    throw cause instanceof StoreError ? cause : unreadable(name, cause)
  }
  // before it is put, nothing is
  if (about === undefined && !isEmpty(database)) insistOnFormat(about, name)
  if (formatOf(about) !== FORMAT)
    await database.put(ABOUT, { ...Object(about), format: FORMAT, program: PROGRAM })
  return pieces
}

const isEmpty = (database: Database): boolean => database.getCount({ limit: 1 }) === 0

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
