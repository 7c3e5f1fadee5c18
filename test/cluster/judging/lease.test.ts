// How the holder of a lease counts it, and what it does when the engine does not answer.

import { describe, expect, it } from 'vitest'
import { Lease } from '../../../src/cluster/judging/lease.ts'

const LENGTH = 5000

/** Renewed by a question of this time. */
function renewed(askedAt: number): Lease {
  const lease = new Lease(LENGTH)
  lease.noteRenewal(askedAt)
  return lease
}

describe('a lease', () => {
  it('does not hold before it was given', () => {
    expect(new Lease(LENGTH).holds(0)).toBe(false)
  })

  it('holds from before it was asked for, and ends 200 ms before the engine thinks so', () => {
    const lease = renewed(1000)
    expect(lease.holds(5799)).toBe(true)
    expect(lease.holds(5800)).toBe(false)
  })

  it('is not shortened by an answer that comes late', () => {
    const lease = renewed(2000)
    lease.noteRenewal(1000)
    expect(lease.end).toBe(6800)
  })

  it('goes on without an engine that does not answer, again and again, and says so', () => {
    const lease = renewed(0)
    for (let now = 3000; now < 100_000; now += 3000) {
      expect(lease.holds(now)).toBe(true)
      lease.noteSilence(now - 2000, now)
      expect(lease.isWithoutEngine).toBe(true)
    }
    lease.noteRenewal(100_000)
    expect(lease.isWithoutEngine).toBe(false)
  })

  it('is not given back by silence to one that has slept beyond it', () => {
    const lease = renewed(0)
    lease.noteSilence(5000, 5100)
    expect(lease.holds(5100)).toBe(false)
  })

  it('is not made longer by silence that was the sleep of the one who asked', () => {
    const lease = renewed(0)
    lease.noteSilence(1000, 4700)
    expect(lease.end).toBe(4800)
  })

  it('is over when it was finished, whatever answers come then', () => {
    const lease = renewed(0)
    lease.finish()
    expect(lease.holds(1)).toBe(false)
  })
})
