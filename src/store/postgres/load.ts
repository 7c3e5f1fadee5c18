// Reads sessions from the database, page by page, so that neither memory nor a turn has to hold many at once.

import { markOfSlot, placeOfName, type SlotAside } from '../asides.ts'
import type { FoundSession } from '../environment.ts'
import { Pace } from '../pace.ts'
import { Reading } from '../reading.ts'
import { type SlotOf, type Slots, StoreError } from '../store.ts'
import { textArray } from './arrays.ts'
import type { Query, Row } from './engine/connection.ts'
import { asideIn, octetsOf, recordIn } from './group-statement.ts'
import { keyOfNumber } from './keys.ts'
import { allRecords, MORE, PAGE, recordsOf } from './pages.ts'

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

  function turnTo(slot: number, number: number): Reading {
    if (at?.slot === slot && at.number === number) return at.reading
    finish()
    at = { slot, number, reading: new Reading(toMonotonic) }
    return at.reading
  }

  function take(into: Reading, slot: number, number: number, keyText: string, value: Buffer): void {
    const key = keyOfNumber(keyText)
    if (key === undefined) throw new TypeError('an unknown key')
    into.take(key, recordIn(slot, number, keyText, value))
  }

  const reading = <T>(step: () => T): T => {
    try {
      return step()
    } catch (cause) {
      throw unreadable(`session ${at?.number} of slot ${at?.slot}`, cause)
    }
  }

  for await (const page of slots === undefined ? allRecords(query) : recordsOf(query, slots)) {
    for (const { slot, number, records } of page) {
      const into = reading(() => turnTo(slot, number))
      for (const [key, value] of records) {
        reading(() => take(into, slot, number, key, value))
        if (!pace.isOver()) continue
        yield piece
        piece = []
        await pace.next()
      }
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
    return asideIn(name ?? '', octetsOf(hex ?? ''))
  } catch (cause) {
    throw unreadable(`the record "${name}" beside sessions`, cause)
  }
}
