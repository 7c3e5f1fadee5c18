// Token buckets per source, in a table that cannot grow without end [SN-UNK-3, SN-ROB-1].

import { expect, it } from 'vitest'
import { allow, createThrottle } from '../../src/sessions/throttle.ts'

it('lets a burst through, then as much as the rate says [SN-UNK-3]', () => {
  const throttle = createThrottle()
  const at = (now: number) => allow(throttle, 'a', 2, 3, now)
  expect([at(0), at(0), at(0), at(0)]).toEqual([true, true, true, false])
  expect([at(499), at(500), at(501)]).toEqual([false, true, false])
  expect([at(60_000), at(60_000), at(60_000), at(60_000)]).toEqual([true, true, true, false])
})

it('counts each source by itself [SN-UNK-3]', () => {
  const throttle = createThrottle()
  expect([allow(throttle, 'a', 1, 1, 0), allow(throttle, 'b', 1, 1, 0)]).toEqual([true, true])
  expect(allow(throttle, 'a', 1, 1, 0)).toBe(false)
})

it('bounds the number of sources that it remembers [SN-ROB-1]', () => {
  const throttle = createThrottle()
  for (let source = 0; source < 100_000; source++) allow(throttle, source, 1, 1, 0)
  expect(throttle.size).toBeLessThanOrEqual(20_000)
})
