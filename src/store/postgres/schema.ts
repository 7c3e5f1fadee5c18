// The tables of the store. They are made at the first start; a store of a newer version is refused.

import { StoreError } from '../store.ts'
import type { Query } from './engine/connection.ts'
import { EngineError } from './engine/error.ts'

const PROGRAM = 'mqtt-sn-gateway'
/** Of the tables and what is in them. */
const FORMAT = 1

/** Slots of ClientIds. */
export const SLOTS = 1024

/** Each statement by itself may be repeated. */
const TABLES = [
  'CREATE SEQUENCE IF NOT EXISTS mqttsn_token',
  `CREATE TABLE IF NOT EXISTS mqttsn_about (one boolean PRIMARY KEY DEFAULT true CHECK (one), program text NOT NULL,
     format int NOT NULL, cluster text NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS mqttsn_member (node text PRIMARY KEY, incarnation bigint NOT NULL, address text, version text,
     config bytea, state text, expires timestamptz NOT NULL) WITH (fillfactor = 50)`,
  `CREATE TABLE IF NOT EXISTS mqttsn_lane (node text, lane int, incarnation bigint NOT NULL, token bigint,
     PRIMARY KEY (node, lane)) WITH (fillfactor = 50)`,
  `CREATE TABLE IF NOT EXISTS mqttsn_slot (slot int2 PRIMARY KEY, node text, incarnation bigint, epoch bigint NOT NULL)
     WITH (fillfactor = 50)`,
  `CREATE TABLE IF NOT EXISTS mqttsn_record (slot int2, session int4, key int8, value bytea NOT NULL,
     PRIMARY KEY (slot, session, key)) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)`,
  `CREATE TABLE IF NOT EXISTS mqttsn_aside (name text PRIMARY KEY, value bytea NOT NULL)
     WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)`,
  `INSERT INTO mqttsn_slot SELECT slot, NULL, NULL, 0 FROM generate_series(0, ${SLOTS - 1}) AS slot ON CONFLICT DO NOTHING`,
  `INSERT INTO mqttsn_about (program, format, cluster)
     VALUES ('${PROGRAM}', ${FORMAT}, substr(md5(random()::text || clock_timestamp()::text), 1, 8)) ON CONFLICT DO NOTHING`,
]

/** Two that make the same at once get in each other's way: duplicate key, duplicate table, deadlock. */
const CLASH = new Set(['23505', '42P07', '42710', '40P01', 'XX000'])

/** What the store says of itself. */
export interface About {
  /** eight hexadecimal digits that tell this installation from all others at a broker */
  readonly installation: string
}

/**
 * Makes the tables where there are none.
 * @throws StoreError for the store of another program, or of a newer version; EngineError
 */
export async function prepareSchema(query: Query): Promise<About> {
  const about = await findAbout(query)
  if (about !== undefined) return about
  for (let attempt = 1; ; attempt++) {
    try {
      for (const text of TABLES) await query({ text })
      const made = await readAbout(query)
      if (made === undefined) throw new StoreError('the table mqttsn_about stays empty')
      return made
    } catch (error) {
      if (error instanceof EngineError && error.code === '42501') throw mayNotCreate(error)
      if (!(error instanceof EngineError && CLASH.has(error.code ?? '')) || attempt === 5) throw error
      await new Promise((resolve) => setTimeout(resolve, 100 * attempt))
    }
  }
}

const mayNotCreate = ({ message }: EngineError): StoreError =>
  new StoreError(
    `${message}. At the first start the gateway makes tables: GRANT CREATE ON SCHEMA public TO the user of store.url, or let it own the database`,
  )

/** What the store says of itself, if there is one. Throws StoreError for one that is not for this gateway; EngineError. */
export async function findAbout(query: Query): Promise<About | undefined> {
  const [found] = await query({ text: "SELECT to_regclass('mqttsn_about') IS NOT NULL" })
  return found?.[0] === 't' ? readAbout(query) : undefined
}

async function readAbout(query: Query): Promise<About | undefined> {
  const [row] = await query({ text: 'SELECT program, format, cluster FROM mqttsn_about' })
  if (row === undefined) return undefined
  const [program, format, cluster] = row
  if (program !== PROGRAM)
    throw new StoreError(
      'the tables in the database of store.url belong to another program: use a database for this gateway alone',
    )
  if (Number(format) > FORMAT) {
    throw new StoreError(
      `the database of store.url was written by a newer version of this gateway (format ${format}, this version reads ${FORMAT}): ` +
        'install that version again, or use another database to start without its sessions',
    )
  }
  return { installation: cluster ?? '' }
}
