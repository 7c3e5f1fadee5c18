// Turns to connect.

import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Pacing, type Slot } from '../../../src/upstream/mqtt/pacing.ts'

describe('pacing', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  function queue(pacing: Pacing, count: number): { started: number[]; turns: Slot[] } {
    const started: number[] = []
    const turns = Array.from({ length: count }, (_, index) => pacing.request(() => started.push(index)))
    return { started, turns }
  }

  it('starts attempts in order, at the rate that was set [SN-MAP-31]', () => {
    const pacing = new Pacing(100, 1000)
    const { started, turns } = queue(pacing, 200)
    expect(started).toEqual([])
    vi.advanceTimersByTime(500)
    // half a second's worth and the tenth of a second's that may start at once
    expect(started.length).toBeGreaterThanOrEqual(50)
    expect(started.length).toBeLessThanOrEqual(61)
    vi.advanceTimersByTime(1500)
    expect(started).toEqual(turns.map((_, index) => index))
    expect(pacing.waiting).toBe(0)
  })

  it('lets the first go without waiting for a timer, but not within the call', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] }) // which nobody advances here
    const { started } = queue(new Pacing(100, 10), 2)
    expect(started).toEqual([])
    await new Promise(setImmediate)
    expect(started).toEqual([0, 1])
  })

  it('leaves turns to others where many may start at once and each takes its time', () => {
    const pacing = new Pacing(10_000, 100)
    const now = vi.spyOn(performance, 'now')
    onTestFinished(() => now.mockRestore())
    let [time, started] = [0, 0]
    now.mockImplementation(() => time)
    for (let i = 0; i < 100; i += 1)
      pacing.request(() => {
        started += 1
        time += 1
      })
    const inTurn: number[] = []
    while (started < 100) {
      const before = started
      vi.advanceTimersToNextTimer()
      inTurn.push(started - before)
    }
    expect(inTurn.length).toBeGreaterThan(10)
    expect(Math.max(...inTurn)).toBeLessThan(10)
  })

  it('starts nobody after it was closed', () => {
    const pacing = new Pacing(100, 100)
    const { started } = queue(pacing, 5)
    pacing.close()
    vi.advanceTimersByTime(1000)
    expect(started).toEqual([])
  })

  it('runs no more at once than was set, and goes on when one ends [SN-MAP-31]', () => {
    const pacing = new Pacing(1000, 3)
    const { started, turns } = queue(pacing, 5)
    vi.advanceTimersByTime(1000)
    expect(started).toEqual([0, 1, 2])
    turns[1]?.end()
    turns[1]?.end()
    vi.advanceTimersByTime(1000)
    expect(started).toEqual([0, 1, 2, 3])
    expect(pacing.waiting).toBe(1)
  })

  it('takes who gives up out of the queue', () => {
    const pacing = new Pacing(1000, 1)
    const { started, turns } = queue(pacing, 3)
    vi.advanceTimersByTime(10)
    turns[1]?.end()
    turns[0]?.end()
    vi.advanceTimersByTime(10)
    expect(started).toEqual([0, 2])
  })

  it('lets those who are patient wait while it is held, and starts them after that [SN-MAP-31]', () => {
    const pacing = new Pacing(1000, 10)
    const started: string[] = []
    pacing.hold(true)
    const gone = pacing.request(() => started.push('gone'), true)
    pacing.request(() => started.push('patient'), true)
    pacing.request(() => started.push('at once'))
    gone.end()
    vi.advanceTimersByTime(60_000)
    expect(started).toEqual(['at once'])
    expect(pacing.waiting).toBe(1)
    pacing.hold(false)
    vi.advanceTimersByTime(10)
    expect(started).toEqual(['at once', 'patient'])
  })

  it('keeps to rates below one a second', () => {
    const pacing = new Pacing(0.5, 10)
    const { started } = queue(pacing, 3)
    vi.advanceTimersByTime(1000)
    expect(started).toEqual([0])
    vi.advanceTimersByTime(3500)
    expect(started).toEqual([0, 1, 2])
  })
})
