// Reads the whole store at the start. A record that cannot be read stops the start.

import type { Changes } from '../changes.ts'
import { type Key, readLasting, readMessage, readProgress, readUplink } from '../records.ts'
import { type StoredSession, StoreError } from '../store.ts'
import { ABOUT, type Database } from './environment.ts'
import type { StoreClock } from './store-clock.ts'

const PROGRAM = 'mqtt-sn-gateway'
const FORMAT = 1

type Records = Map<Key, unknown>

const isKey = (key: unknown): key is [number, Key] =>
  Array.isArray(key) &&
  key.length === 2 &&
  Number.isSafeInteger(key[0]) &&
  (key[1] === 'lasting' || key[1] === 'progress' || (Number.isSafeInteger(key[1]) && key[1] !== 0))

/**
 * Everything stored, and tells `changes` what is on disk. An empty database becomes a store.
 * @param name the file, as people know it
 * @param clock by which its times are read
 * @param owns whether a session is wanted; others stay as they are
 * @throws StoreError
 */
export async function loadSessions(
  database: Database,
  changes: Changes,
  name: string,
  clock: StoreClock,
  owns: (clientId: string) => boolean,
): Promise<StoredSession[]> {
  const sessions = new Map<number, Records>()
  let about: unknown
  try {
    for (const { key, value } of database.getRange()) {
      if (key === ABOUT) about = value
      else if (isKey(key)) {
        const records = sessions.get(key[0])
        if (records === undefined) sessions.set(key[0], new Map([[key[1], value]]))
        else records.set(key[1], value)
      } else throw new TypeError('an unknown key')
    }
  } catch (cause) {
    throw unreadable(name, cause)
  }
  if (about === undefined && sessions.size === 0) {
    await database.put(ABOUT, { format: FORMAT, program: PROGRAM })
    return []
  }
  insistOnFormat(about, name)
  return [...sessions].flatMap(([number, records]) => {
    try {
      changes.passOverNumber(number)
      const { clientId } = readLasting(records.get('lasting'))
      if (!owns(clientId)) return []
      const session = sessionOf(records, clock)
      if (changes.knows(clientId)) throw new TypeError('two sessions of one ClientId')
      changes.noteStored(clientId, number, records.keys())
      return session
    } catch (cause) {
      throw unreadable(name, cause)
    }
  })
}

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

function sessionOf(records: Records, { toMonotonic }: StoreClock): StoredSession {
  const ids = [...records.keys()].filter((key) => typeof key === 'number').sort((a, b) => a - b)
  // What was written just before another boot may lie ahead of what the clock has noted.
  const now = performance.now()
  const past = <T extends { readonly at: number }>(item: T): T => ({ ...item, at: Math.min(item.at, now) })
  return {
    record: {
      lasting: readLasting(records.get('lasting')),
      progress: readProgress(records.get('progress')),
    },
    messages: ids.filter((id) => id > 0).map((id) => past(readMessage(id, records.get(id), toMonotonic))),
    uplinks: ids
      .filter((id) => id < 0)
      .reverse()
      .map((id) => past(readUplink(-id, records.get(id), toMonotonic))),
  }
}

const unreadable = (name: string, cause: unknown): StoreError =>
  new StoreError(
    `${name} cannot be read (${cause instanceof Error ? cause.message : cause}): ` +
      'restore it from a copy, or move the folder away to start without its sessions',
  )
