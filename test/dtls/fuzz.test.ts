// A short fuzz run of the core; `lab/fuzz-dtls.ts` does the same at any length.

import { expect, it } from 'vitest'
import { fuzzDtls } from '../../lab/fuzz/dtls-run.ts'

it('broken records never crash the core, open no session without its Finished, and harm no open one', () => {
  const report = fuzzDtls({ datagrams: 20_000, seed: 1 })
  expect(report.failures).toEqual([])
  // it was a real test only if sessions opened all the same, and talked
  expect(report.mutated).toBeGreaterThanOrEqual(20_000)
  expect(report.sessions).toBeGreaterThan(100)
  expect(report.resumed).toBeGreaterThan(20)
  expect(report.delivered).toBeGreaterThan(1000)
}, 120_000)
