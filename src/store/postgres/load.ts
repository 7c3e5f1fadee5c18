// Reads sessions from the database, page by page, so that neither memory nor a turn has to hold many at once.

import { markOfSlot, placeOfName, type SlotAside } from '../asides.ts'
import type { FoundSession } from '../environment.ts'
import { Pace } from '../pace.ts'
import { Reading } from '../reading.ts'
import { type SlotOf, type Slots, StoreError } from '../store.ts'
import { textArray } from './arrays.ts'
import type { Query, Row } from './engine/connection.ts'
import { asideIn, recordIn } from './group-statement.ts'
import { keyOfNumber } from './keys.ts'
import { SLOTS } from './schema.ts'

const PAGE = 500
/** Slots that are asked for together: at first, and at most. */
const [TOGETHER, MOST_TOGETHER] = [32, 256]
/** Milliseconds that a page may take longer than other statements: the disk is read. */
const MORE = 25_000

export interface EngineLoadParts {
  readonly query: Query
  readonly toMonotonic: (stored: number) => number
  /** whether a session is wanted; others stay as they are */
  readonly owns: (clientId: string) => boolean
  /** the slot of a sensor now, by its name at the broker */
  readonly slotOf: SlotOf
  /** told of sessions that nobody finds: they are stored in a slot where another name has led */
  readonly onMisplaced: (sessions: number) => void
  /** takes the number of each session in its slot, wanted or not */
  readonly onNumber: (number: number, slot: number) => void
}

const unreadable = (what: string, cause: unknown): StoreError =>
  new StoreError(
    `${what} in the database of store.url cannot be read (${cause instanceof Error ? cause.message : cause}): ` +
      'restore the database from a copy, or use another one to start without its sessions',
  )

/** Where reading goes on: after this record. */
type After = readonly [slot: string, session: string, key: string]

const beginOf = (slot: number): After => [String(slot), '-2147483648', '-9223372036854775808']

/** The next page after a record; the last one has fewer rows. */
async function pageOf(
  query: Query,
  name: string,
  slots: string,
  after: After,
  last: string,
): Promise<readonly Row[]> {
  return query({
    name,
    text: `SELECT slot, session, key, value FROM mqttsn_record
      WHERE (slot, session, key) > ($1::int2, $2::int4, $3::int8) AND ${slots} ORDER BY slot, session, key LIMIT ${PAGE}`,
    values: [...after, last],
    more: MORE,
  })
}

const afterLast = (rows: readonly Row[], before: After): After => {
  const [slot, session, key] = rows.at(-1) ?? before
  return [String(slot), String(session), String(key)]
}

/** Gives pages one after the other; each is asked for while the one before is dealt with. `ask`: undefined after the last one. */
async function* ahead(
  ask: (before: readonly Row[] | undefined) => Promise<readonly Row[]> | undefined,
): AsyncIterable<readonly Row[]> {
  for (let next = ask(undefined); next !== undefined; ) {
    const rows = await next
    next = ask(rows)
    next?.catch(() => {}) // it is told when it is waited for
    yield rows
  }
}

/** All records there are, in order. */
function allRows(query: Query): AsyncIterable<readonly Row[]> {
  let after = beginOf(0)
  return ahead((rows) => {
    if (rows !== undefined && rows.length < PAGE) return undefined
    after = afterLast(rows ?? [], after)
    return pageOf(query, 'mqttsn_load', 'slot <= $4', after, String(SLOTS - 1))
  })
}

/**
 * All records in these slots, in order. Many slots are asked for at once where they hold little, as each question waits behind groups of
 * writes; few where they hold much, as the server reads all of these slots before it gives the first page of them.
 */
function rowsOf(query: Query, slots: Slots): AsyncIterable<readonly Row[]> {
  const left = [...slots].sort((a, b) => a - b)
  let [together, asked] = [TOGETHER, 0]
  let begin = beginOf(0)
  return ahead((rows) => {
    if (rows !== undefined) begin = afterLast(rows, begin)
    if (rows !== undefined && rows.length < PAGE) {
      left.splice(0, asked)
      together = Math.min(MOST_TOGETHER, together * 4)
    } else if (rows !== undefined) {
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

/** The sessions in these slots, or in all, piece by piece. Throws StoreError, EngineError. */
export async function* loadSessions(
  { query, toMonotonic, owns, slotOf, onMisplaced, onNumber }: EngineLoadParts,
  slots: Slots | undefined,
): AsyncIterable<readonly FoundSession[]> {
  const pace = new Pace()
  let misplaced = 0
  let piece: FoundSession[] = []
  let at: { readonly slot: number; readonly number: number; readonly reading: Reading } | undefined

  function finish(): void {
    if (at === undefined) return
    const { slot, number, reading } = at
    onNumber(number, slot)
    const found = reading.finish((clientId) => {
      const [wanted, isOwned] = [slotOf(clientId), owns(clientId)]
      const isFound = isOwned && (slots === undefined || slots.has(wanted))
      if (wanted !== slot && !isFound) misplaced += 1
      return isOwned
    })
    if (found !== undefined) piece.push({ ...found, slot, number, stored: reading.stored })
  }

  function take([slotText, numberText, keyText, hex]: Row): void {
    const [slot, number] = [Number(slotText), Number(numberText)]
    if (at?.slot !== slot || at.number !== number) {
      finish()
      at = { slot, number, reading: new Reading(toMonotonic) }
    }
    const key = keyOfNumber(keyText ?? '')
    if (key === undefined) throw new TypeError('an unknown key')
    at.reading.take(key, recordIn(slot, number, keyText ?? '', hex ?? ''))
  }

  const reading = <T>(step: () => T): T => {
    try {
      return step()
    } catch (cause) {
      throw unreadable(`session ${at?.number} of slot ${at?.slot}`, cause)
    }
  }

  for await (const rows of slots === undefined ? allRows(query) : rowsOf(query, slots)) {
    for (const row of rows) {
      reading(() => take(row))
      if (!pace.isOver()) continue
      yield piece
      piece = []
      await pace.next()
    }
  }
  reading(finish)
  if (misplaced > 0) onMisplaced(misplaced)
  yield piece
}

/** The records beside sessions that belong to no slot, by their names. Throws StoreError, EngineError. */
export async function loadAsides(query: Query, beside: Map<string, unknown>): Promise<void> {
  const rows = await query({
    text: "SELECT name, value FROM mqttsn_aside WHERE left(name, 1) <> '@' ORDER BY name",
    more: MORE,
  })
  for (const row of rows) beside.set(row[0] ?? '', besideIn(row))
}

/** Those of these slots, page by page. Throws StoreError, EngineError. */
export async function loadSlotAsides(query: Query, slots: Slots): Promise<readonly SlotAside[]> {
  const marks = textArray([...slots].map(markOfSlot))
  const found: SlotAside[] = []
  let after = ''
  for (let isWhole = false; !isWhole; ) {
    const rows = await query({
      name: 'mqttsn_load_aside',
      text: `SELECT name, value FROM mqttsn_aside WHERE name > $2 AND split_part(name, ' ', 1) = ANY ($1::text[])
        ORDER BY name LIMIT ${PAGE}`,
      values: [marks, after],
      more: MORE,
    })
    for (const row of rows) {
      const [slot, name] = placeOfName(row[0] ?? '') ?? []
      if (slot !== undefined && name !== undefined) found.push([slot, name, besideIn(row)])
    }
    isWhole = rows.length < PAGE
    after = rows.at(-1)?.[0] ?? ''
  }
  return found
}

function besideIn([name, hex]: Row): unknown {
  try {
    return asideIn(name ?? '', hex ?? '')
  } catch (cause) {
    throw unreadable(`the record "${name}" beside sessions`, cause)
  }
}
