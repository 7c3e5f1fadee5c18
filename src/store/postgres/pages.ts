// The records of sessions, page by page, each asked for while the one before is dealt with. The server puts together what belongs to one
// session: rows, and the octets in them, are what costs most here.

import { Readable } from 'node:stream'
import type { Slots } from '../store.ts'
import type { Query, Row } from './engine/connection.ts'
import { SLOTS } from './schema.ts'

/** Records of a page, at most. */
export const PAGE = 500
/** Slots that are asked for together: at first, and at most. */
const [TOGETHER, MOST_TOGETHER] = [32, 256]
/** Milliseconds that a page may take longer than other statements: the disk is read. */
export const MORE = 25_000

/** Pages that wait to be dealt with, besides the one that is asked for: no more, since payloads may be long. */
const AHEAD = 1
/** Octets of records that are decoded together, and stay in memory together: of more, a part that is kept would keep all. */
const SHARED = 4096

/** Records of one session: all, or those that fit into a page. */
export interface SessionRecords {
  readonly slot: number
  /** of the session in its slot */
  readonly number: number
  /** by the number of the key, in any order */
  readonly records: Iterable<readonly [key: string, value: Buffer]>
}

/** Where reading goes on: after this record. */
type After = readonly [slot: string, session: string, key: string]

const beginOf = (slot: number): After => [String(slot), '-2147483648', '-9223372036854775808']

/** A page, and how many records it has: the last one has fewer than others. */
interface Page {
  readonly rows: readonly Row[]
  readonly count: number
}

async function pageOf(query: Query, name: string, slots: string, after: After, last: string): Promise<Page> {
  const rows = await query({
    name,
    text: `SELECT slot, session, max(key), string_agg(key::text, ' '), string_agg(length(value)::text, ' '), string_agg(value, '')
      FROM (SELECT slot, session, key, value FROM mqttsn_record
        WHERE (slot, session, key) > ($1::int2, $2::int4, $3::int8) AND ${slots} ORDER BY slot, session, key LIMIT ${PAGE}) AS page
      GROUP BY slot, session ORDER BY slot, session`,
    values: [...after, last],
    more: MORE,
  })
  return { rows, count: rows.reduce((sum, [, , , keys]) => sum + wordsIn(keys ?? ''), 0) }
}

function wordsIn(text: string): number {
  let words = 1
  for (let at = text.indexOf(' '); at >= 0; at = text.indexOf(' ', at + 1)) words += 1
  return words
}

function sessionRecordsIn([slot, number, , keys, lengths, values]: Row): SessionRecords {
  function* records(): Iterable<readonly [string, Buffer]> {
    const text = (values ?? '').slice(2)
    const together = text.length > 2 * SHARED ? undefined : Buffer.from(text, 'hex')
    const lengthOf = (lengths ?? '').split(' ')
    let [index, at] = [0, 0]
    for (const key of (keys ?? '').split(' ')) {
      const end = at + Number(lengthOf[index])
      yield [key, together?.subarray(at, end) ?? Buffer.from(text.slice(2 * at, 2 * end), 'hex')]
      index += 1
      at = end
    }
  }
  return { slot: Number(slot), number: Number(number), records: records() }
}

const afterLast = ({ rows }: Page, before: After): After => {
  const [slot, session, key] = rows.at(-1) ?? before
  return [String(slot), String(session), String(key)]
}

/** Gives pages one after the other, and asks for some while others are dealt with. `ask`: undefined after the last one. */
function ahead(
  ask: (before: Page | undefined) => Promise<Page> | undefined,
): AsyncIterable<readonly SessionRecords[]> {
  async function* pages(): AsyncIterable<readonly SessionRecords[]> {
    for (let next = ask(undefined); next !== undefined; ) {
      const page = await next
      next = ask(page)
      next?.catch(() => {}) // it is told when it is waited for
      yield page.rows.map(sessionRecordsIn)
    }
  }
  return Readable.from(pages(), { highWaterMark: AHEAD })
}

/** All records there are, in the order of slots and sessions. Throws EngineError. */
export function allRecords(query: Query): AsyncIterable<readonly SessionRecords[]> {
  let after = beginOf(0)
  return ahead((page) => {
    if (page !== undefined && page.count < PAGE) return undefined
    if (page !== undefined) after = afterLast(page, after)
    return pageOf(query, 'mqttsn_load', 'slot <= $4', after, String(SLOTS - 1))
  })
}

/**
 * All records in these slots, in the order of slots and sessions. Many slots are asked for at once where they hold little, as each question
 * waits behind groups of writes; few where they hold much, as the server reads all of these slots before it gives the first page of them.
 * Throws EngineError.
 */
export function recordsOf(query: Query, slots: Slots): AsyncIterable<readonly SessionRecords[]> {
  const left = [...slots].sort((a, b) => a - b)
  let [together, asked] = [TOGETHER, 0]
  let begin = beginOf(0)
  return ahead((page) => {
    if (page !== undefined) begin = afterLast(page, begin)
    if (page !== undefined && page.count < PAGE) {
      left.splice(0, asked)
      together = Math.min(MOST_TOGETHER, together * 4)
    } else if (page !== undefined) {
      const reached = Number(begin[0])
      left.splice(
        0,
        left.findIndex((slot) => slot >= reached),
      )
      together = Math.max(1, Math.floor(together / 4))
    }
    const those = left.slice(0, together)
    asked = those.length
    if (asked === 0) return undefined
    return pageOf(query, 'mqttsn_load_slots', 'slot = ANY ($4::int2[])', begin, `{${those.join()}}`)
  })
}
