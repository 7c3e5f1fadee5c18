// How long a node that is stopped goes on as a way in for sensors of others, with timers of the test.

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { QUIET, untilQuiet } from '../../../src/workers/cluster/until-quiet.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Messages, and whether it has ended. */
function scene(isOver = () => false) {
  const state = { messages: 0, isEnded: false }
  void untilQuiet(() => state.messages, isOver).then(() => {
    state.isEnded = true
  })
  return state
}

it('it ends when no message has come in for five seconds', async () => {
  const state = scene()
  for (let second = 0; second < 20; second += 1) {
    state.messages += 1
    await vi.advanceTimersByTimeAsync(1000)
  }
  await vi.advanceTimersByTimeAsync(QUIET - 1500)
  expect(state.isEnded).toBe(false)
  await vi.advanceTimersByTimeAsync(1500)
  expect(state.isEnded).toBe(true)
})

it('it ends when nobody waits any more', async () => {
  const over = { is: false }
  const state = scene(() => over.is)
  await vi.advanceTimersByTimeAsync(1000)
  over.is = true
  await vi.advanceTimersByTimeAsync(500)
  expect(state.isEnded).toBe(true)
})
