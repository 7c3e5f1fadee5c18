// The lease of a process in memory that its threads share: who goes on without the engine stops at a sign of another owner.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HeldLease } from '../../src/cluster/held-lease.ts'
import { LeaseEnd } from '../../src/cluster/lease-end.ts'

const LENGTH = 5000

describe('the lease of a process', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  /** Given now; `thread`: as another thread of the process sees it. */
  function given(): { lease: HeldLease; thread: LeaseEnd } {
    const end = new LeaseEnd()
    const lease = new HeldLease(LENGTH, end)
    lease.noteRenewal(performance.now())
    return { lease, thread: new LeaseEnd(end.memory) }
  }
  const held = ({ lease, thread }: ReturnType<typeof given>) => [lease.holds(), thread.holds()]

  it('holds in all threads until its end, and ends in all', () => {
    const both = given()
    expect(held(both)).toEqual([true, true])
    vi.advanceTimersByTime(LENGTH)
    expect(held(both)).toEqual([false, false])
    expect(held(given())).toEqual([true, true])
    both.lease.noteRenewal(performance.now())
    both.lease.finish()
    expect(held(both)).toEqual([false, false])
  })

  it('is suspended in all threads by a sign of another owner while the engine is silent, until the engine gives it again', () => {
    const both = given()
    const { lease, thread } = both
    vi.advanceTimersByTime(2000)
    lease.noteSilence(performance.now())
    expect(thread.suspend()).toBe(true)
    expect(thread.suspend()).toBe(false)
    expect(held(both)).toEqual([false, false])
    lease.noteSilence(performance.now())
    expect(held(both)).toEqual([false, false])
    lease.noteRenewal(performance.now())
    expect(held(both)).toEqual([true, true])
  })

  it('is not suspended while the engine answers: nobody else can have taken over', () => {
    const both = given()
    expect(both.thread.suspend()).toBe(false)
    expect(held(both)).toEqual([true, true])
    both.lease.noteSilence(performance.now())
    both.lease.noteRenewal(performance.now())
    expect(both.thread.suspend()).toBe(false)
    expect(held(both)).toEqual([true, true])
  })
})
