// Looks into a store without a part in it: what a gateway keeps, also while it runs.

import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { open } from 'lmdb'
import type { State } from '../../session/states.ts'
import { readLasting, readProgress } from '../records.ts'
import { StoreError } from '../store.ts'
import { ABOUT, ASIDE, type Database, encoderOf, recordIn } from './database.ts'
import { JOURNAL, JournalReading } from './journal/reading.ts'

/** One session as it lies on disk. */
export interface StoredSummary {
  readonly clientId: string
  readonly state: State
  readonly cleanSession: boolean
  /** where it was heard last, `address:port` */
  readonly address: string | undefined
  /** when, wall time as the store counts it */
  readonly heardAt: number | undefined
  readonly topics: number
  readonly subscriptions: number
  /** messages that wait for the sensor */
  readonly queued: number
  /** messages of the sensor that the broker has not finished */
  readonly spooled: number
}

/** Opens a store for reading, whoever else uses it. Throws StoreError if there is none. */
export function openForReading(folder: string): Database {
  if (!existsSync(join(folder, 'data.mdb')))
    throw new StoreError(`there is no store in ${folder}: --store or -c names another folder`)
  try {
    return open({ path: folder, noSubdir: false, maxDbs: 1, readOnly: true, overlappingSync: false })
  } catch (error) {
    throw new StoreError(`${folder} cannot be read: ${error instanceof Error ? error.message : error}`)
  }
}

/** The digits of `installation.txt`, if there are any. */
export function installationIn(folder: string): string | undefined {
  try {
    return /^[0-9a-f]{8}(?=\s*$)/.exec(readFileSync(join(folder, 'installation.txt'), 'latin1'))?.[0]
  } catch {
    return undefined
  }
}

interface Counts {
  topics: number
  subscriptions: number
  queued: number
  spooled: number
}

/**
 * All sessions of a store, by ClientId.
 * @throws StoreError if it cannot be read
 */
export async function listStore(folder: string): Promise<StoredSummary[]> {
  const database = openForReading(resolve(folder))
  try {
    const { program }: { program?: unknown } = Object(database.get(ABOUT))
    if (program !== undefined && program !== 'mqtt-sn-gateway')
      throw new StoreError(`${folder} belongs to another program`)
    const counts = new Map<number, Counts>()
    const brief = new JournalReading()
    for (const key of database.getKeys()) {
      if (!Array.isArray(key)) continue
      const [number, part] = key
      if (number === JOURNAL && typeof part === 'number') {
        const value = database.get([number, part]) // undefined: a running gateway has removed it meanwhile
        if (value !== undefined) brief.take(part, recordIn(encoderOf(database), [number, part], value))
      }
      if (number === ASIDE) continue
      const count = counts.get(number) ?? { topics: 0, subscriptions: 0, queued: 0, spooled: 0 }
      counts.set(number, count)
      if (typeof part === 'number') count[part > 0 ? 'queued' : 'spooled'] += 1
      else if (part.startsWith('topic ')) count.topics += 1
      else if (part.startsWith('filter ')) count.subscriptions += 1
    }
    for (const [number, records] of brief.records) {
      const count = counts.get(number)
      if (count !== undefined) count.spooled += records.size
    }
    const sessions = [...counts].flatMap(([number, count]) => summaryOf(database, number, count) ?? [])
    return sessions.sort((a, b) => a.clientId.localeCompare(b.clientId, 'en', { numeric: true }))
  } catch (error) {
    if (error instanceof StoreError) throw error
    throw new StoreError(`${folder} cannot be read: ${error instanceof Error ? error.message : error}`)
  } finally {
    await database.close()
  }
}

/** Undefined for one that a running gateway has removed meanwhile. */
function summaryOf(database: Database, number: number, counts: Counts): StoredSummary | undefined {
  const encoder = encoderOf(database)
  const record = (key: 'lasting' | 'progress') => {
    const value = database.get([number, key])
    return value === undefined ? undefined : recordIn(encoder, [number, key], value)
  }
  const lasting = record('lasting')
  if (lasting === undefined) return undefined
  // the first edition has topics and subscriptions in it
  const { clientId, cleanSession, topics, subscriptions } = readLasting(lasting)
  const found = record('progress')
  const progress = found === undefined ? undefined : readProgress(found)
  const { address, port } = progress?.peer ?? {}
  const host = address?.includes(':') ? `[${address}]` : address
  return {
    clientId,
    cleanSession,
    state: progress?.state ?? 'disconnected',
    address: host === undefined ? undefined : `${host}:${port}`,
    heardAt: progress?.heardAt,
    topics: counts.topics + topics.names.length,
    subscriptions: counts.subscriptions + subscriptions.length,
    queued: counts.queued,
    spooled: counts.spooled,
  }
}
