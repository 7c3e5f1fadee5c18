// What the log says of messages that were to be kept and were not.

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createCounters } from '../../src/gateway/counters.ts'
import { reportLosses } from '../../src/gateway/reports/loss-report.ts'
import { createLog } from '../../src/log.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

it('names what was dropped since the last line, once per interval, and nothing while nothing is', () => {
  const lines: string[] = []
  const log = createLog(
    { level: 'info', format: 'json', payloads: false },
    { write: (line: string) => void lines.push(line) },
  )
  const counters = createCounters()
  const stop = reportLosses(log, counters)
  vi.advanceTimersByTime(120_000)
  expect(lines).toEqual([])
  counters.dropped['queue-full'] = 3
  counters.dropped.unasked = 5
  vi.advanceTimersByTime(60_000)
  vi.advanceTimersByTime(60_000)
  counters.dropped['queue-full'] = 4
  counters.dropped['spool-full'] = 1
  counters.dropped.overloaded = 7
  stop()
  vi.advanceTimersByTime(60_000)
  expect(lines.map((line) => JSON.parse(line).lost)).toEqual([
    { 'queue-full': 3 },
    { 'queue-full': 1, 'spool-full': 1 },
    { overloaded: 7 },
  ])
  expect(new Set(lines.map((line) => JSON.parse(line).msg)).size).toBe(2)
})
