// Publishes that were fetched from the database ahead of their turn, when their slot goes to another node and comes back.

import { pack } from 'msgpackr'
import { expect, it } from 'vitest'
import type { Row } from '../../../src/store/postgres/engine/connection.ts'
import { groupStatement } from '../../../src/store/postgres/group-statement.ts'
import { UplinkFetches } from '../../../src/store/postgres/uplink-fetches.ts'

/** What is stored of the record with this text, as the server gives it. */
function stored(slot: number, key: number, text: string): Row {
  const lane = { node: 'n', incarnation: 1, lane: 0 }
  const { values = [] } = groupStatement(lane, '1', [[{ slot, number: 1 }, key, { text }]], [])
  const octets = (values[6] as Buffer).subarray(24) // of an array of one value
  expect(octets.length).toBeGreaterThan(pack({ text }).length)
  return [String(key), `\\x${octets.toString('hex')}`]
}

const SLOT = 3

function scene() {
  let answer: (rows: readonly Row[]) => void = () => {}
  const fetches = new UplinkFetches(
    () =>
      new Promise((resolve) => {
        answer = resolve
      }),
  )
  const read = (key: number) => fetches.read({ slot: SLOT, number: 1, key })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return { fetches, read, turn, answer: (...rows: Row[]) => answer(rows) }
}

it('what was fetched before is fetched again: the other node may have changed it [SN-SESS-10]', async () => {
  const { fetches, read, turn, answer } = scene()
  expect(read(-1)).toBe('soon')
  answer(stored(SLOT, -1, 'old'), stored(SLOT, -2, 'old'))
  await turn()
  expect(read(-1)).toEqual({ text: 'old' })
  fetches.release(new Set([SLOT]))
  expect(read(-2)).toBe('soon')
  answer(stored(SLOT, -2, 'new'))
  await turn()
  expect(read(-2)).toEqual({ text: 'new' })
})

it('what was asked for before counts for nothing when it comes [SN-SESS-10]', async () => {
  const { fetches, read, turn, answer } = scene()
  expect(read(-1)).toBe('soon')
  fetches.release(new Set([SLOT]))
  answer(stored(SLOT, -1, 'old'))
  await turn()
  expect(read(-1)).toBe('soon')
  answer(stored(SLOT, -1, 'new'))
  await turn()
  expect(read(-1)).toEqual({ text: 'new' })
})

it('what is of other slots stays', async () => {
  const { fetches, read, turn, answer } = scene()
  expect(read(-1)).toBe('soon')
  fetches.release(new Set([1, 33]))
  answer(stored(SLOT, -1, 'one'))
  await turn()
  fetches.release(new Set([1, 33]))
  expect(read(-1)).toEqual({ text: 'one' })
})
