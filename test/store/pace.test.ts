// Long work in turns.

import { expect, it } from 'vitest'
import { Rest } from '../../src/store/pace.ts'

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

it('goes on with a rest once in each turn, however often it is found', async () => {
  const rest = new Rest()
  let steps = 0
  const step = (): void => {
    steps += 1
    rest.plan(step)
  }
  const counts: number[] = []
  for (let turn = 0; turn < 4; turn += 1) {
    rest.plan(step) // as a tick does that comes meanwhile
    rest.plan(step)
    await nextTurn()
    counts.push(steps)
  }
  expect(counts).toEqual([1, 2, 3, 4])
})
