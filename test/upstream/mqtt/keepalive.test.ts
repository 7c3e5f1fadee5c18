// One timer for the pings of all connections.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { KeepAlive, type Kept } from '../../../src/upstream/mqtt/keepalive.ts'

class Connection implements Kept {
  readonly pings: number[] = []
  silentAt: number | undefined

  ping(): void {
    this.pings.push(performance.now())
  }

  silent(): void {
    this.silentAt ??= performance.now()
  }
}

describe('keep-alive', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each([1000, 5000, 60_000])(
    'pings in time with %i ms, each connection by its own clock [SN-MAP-5]',
    (interval) => {
      const keepAlive = new KeepAlive()
      const connections = [new Connection(), new Connection()]
      const starts: number[] = []
      const pulses = connections.map((connection) => {
        vi.advanceTimersByTime(400)
        starts.push(performance.now())
        return keepAlive.start(connection, interval)
      })
      for (let second = 0; second < 600; second++) {
        vi.advanceTimersByTime(1000)
        for (const pulse of pulses) pulse.heard = true
      }
      for (const [index, { pings, silentAt }] of connections.entries()) {
        expect(silentAt).toBeUndefined()
        const gaps = pings.map((at, ping) => at - (pings[ping - 1] ?? starts[index] ?? 0))
        expect(Math.max(...gaps)).toBeLessThanOrEqual(interval)
        expect(Math.min(...gaps.slice(1))).toBeGreaterThanOrEqual(interval - 1000)
      }
      for (const pulse of pulses) keepAlive.stop(pulse)
      expect(vi.getTimerCount()).toBe(0)
    },
  )

  it('takes a connection for lost after one and a half intervals of silence', () => {
    const keepAlive = new KeepAlive()
    const connection = new Connection()
    const start = performance.now()
    keepAlive.start(connection, 20_000)
    vi.advanceTimersByTime(60_000)
    expect((connection.silentAt ?? 0) - start).toBeGreaterThanOrEqual(29_000)
    expect((connection.silentAt ?? 0) - start).toBeLessThanOrEqual(31_000)
    expect(connection.pings.length).toBe(1)
  })

  it('leaves a connection alone that has no interval, or was stopped', () => {
    const keepAlive = new KeepAlive()
    const connection = new Connection()
    keepAlive.start(connection, 0)
    expect(vi.getTimerCount()).toBe(0)
    keepAlive.stop(keepAlive.start(connection, 2000))
    vi.advanceTimersByTime(10_000)
    expect(connection.pings).toEqual([])
  })

  it('does not take its own standstill for the broker`s silence', () => {
    const keepAlive = new KeepAlive()
    const connection = new Connection()
    const pulse = keepAlive.start(connection, 2000)
    vi.advanceTimersByTime(2000)
    expect(connection.pings.length).toBe(1)
    const { now } = performance
    performance.now = () => now.call(performance) + 30_000
    vi.advanceTimersByTime(1000)
    performance.now = now
    expect(connection.silentAt).toBeUndefined()
    pulse.heard = true
    vi.advanceTimersByTime(3000)
    expect(connection.pings.length).toBeGreaterThan(1)
  })
})
