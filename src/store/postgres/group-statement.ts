// A group as one statement, which writes all of it if the token of its lane still stands, and nothing otherwise. No transaction is ever
// open between two messages, so that a gateway that freezes holds nothing.

import { Packr } from 'msgpackr'
import type { AsideRecord } from '../asides.ts'
import type { GroupRecord } from '../group-records.ts'
import { openSealed, sealValue, type ValueEncoder } from '../values.ts'
import { byteaArray, int2Array, int4Array, int8Array, textArray } from './arrays.ts'
import type { Statement } from './engine/connection.ts'
import { numberOfKey } from './keys.ts'
import type { Lane } from './lanes.ts'

const encoder: ValueEncoder = new Packr({ useRecords: false })

/** The fence: in the same statement, and waiting for whoever takes the token away. */
const FENCE = 'fence AS (SELECT 1 FROM mqttsn_lane WHERE node = $1 AND lane = $2 AND token = $3 FOR SHARE)'

const RECORDS = `keep AS (INSERT INTO mqttsn_record (slot, session, key, value)
    SELECT x.slot, x.session, x.key, x.value FROM fence,
      unnest($4::int2[], $5::int4[], $6::int8[], $7::bytea[]) AS x (slot, session, key, value)
    ON CONFLICT (slot, session, key) DO UPDATE SET value = excluded.value),
  gone AS (DELETE FROM mqttsn_record r USING fence, unnest($8::int2[], $9::int4[], $10::int8[]) AS x (slot, session, key)
    WHERE r.slot = x.slot AND r.session = x.session AND r.key = x.key)`

const ASIDES = `keep_aside AS (INSERT INTO mqttsn_aside (name, value)
    SELECT x.name, x.value FROM fence, unnest($11::text[], $12::bytea[]) AS x (name, value)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value),
  gone_aside AS (DELETE FROM mqttsn_aside a USING fence, unnest($13::text[]) AS x (name) WHERE a.name = x.name)`

const RESULT = 'SELECT count(*) FROM fence'

const PLAIN = `WITH ${FENCE}, ${RECORDS} ${RESULT}`
const WITH_ASIDES = `WITH ${FENCE}, ${RECORDS}, ${ASIDES} ${RESULT}`

// what a group of many records may take longer than others
const RECORDS_PER_MS = 5
const OCTETS_PER_MS = 5000

const nameOf = (slot: number, session: number, key: string | bigint): string => `${slot} ${session} ${key}`
const asideName = (name: string): string => `aside ${name}`

/** The statement that writes these; its only value is 1, or 0 if the token does not stand. */
export function groupStatement(
  { node, lane }: Lane,
  token: string,
  records: readonly GroupRecord[],
  asides: readonly AsideRecord[],
): Statement {
  const kept: { slots: number[]; sessions: number[]; keys: bigint[]; values: Buffer[] } = {
    slots: [],
    sessions: [],
    keys: [],
    values: [],
  }
  const gone: Omit<typeof kept, 'values'> = { slots: [], sessions: [], keys: [] }
  let octets = 0
  for (const [{ slot, number }, key, record] of records) {
    const to = record === undefined ? gone : kept
    const numberOf = numberOfKey(key)
    to.slots.push(slot)
    to.sessions.push(number)
    to.keys.push(numberOf)
    if (record === undefined) continue
    const value = sealValue(encoder, nameOf(slot, number, numberOf), record)
    kept.values.push(value)
    octets += value.length
  }
  const values = [
    ...[node, lane, token],
    ...[int2Array(kept.slots), int4Array(kept.sessions), int8Array(kept.keys), byteaArray(kept.values)],
    ...[int2Array(gone.slots), int4Array(gone.sessions), int8Array(gone.keys)],
  ]
  const more = records.length / RECORDS_PER_MS + octets / OCTETS_PER_MS
  if (asides.length === 0) return { name: 'mqttsn_group', text: PLAIN, values, more }
  return {
    name: 'mqttsn_group_aside',
    text: WITH_ASIDES,
    values: [...values, ...asideValues(asides)],
    more,
  }
}

function asideValues(asides: readonly AsideRecord[]): Buffer[] {
  const names: string[] = []
  const values: Buffer[] = []
  const gone: string[] = []
  for (const [name, recordNow] of asides) {
    const record = recordNow()
    if (record === undefined) gone.push(name)
    else {
      names.push(name)
      values.push(sealValue(encoder, asideName(name), record))
    }
  }
  return [textArray(names), byteaArray(values), textArray(gone)]
}

/** Octets as the server writes them in text. */
export const octetsOf = (hex: string): Buffer => Buffer.from(hex.slice(2), 'hex')

/** The record in a value; throws TypeError if it is not what was written. */
export const recordIn = (slot: number, session: number, key: string | bigint, value: Buffer): unknown =>
  openSealed(encoder, nameOf(slot, session, key), value)

/** The record beside sessions in a value; throws TypeError if it is not what was written. */
export const asideIn = (name: string, value: Buffer): unknown => openSealed(encoder, asideName(name), value)
