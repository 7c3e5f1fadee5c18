// A short fuzz run over real UDP; `lab/fuzz.ts` does the same at any length.

import { expect, it } from 'vitest'
import { fuzzGateway } from '../../lab/fuzz/run.ts'

it('broken datagrams never crash the gateway, nor get more octets back than they have [SN-COD-5, SN-ROB-3]', async () => {
  const report = await fuzzGateway({ datagrams: 20_000, seed: 1 })
  expect(report.failures).toEqual([])
  // It was a real test only if much was understood, and much was sent by those who never connected.
  expect(report.sent).toBeGreaterThanOrEqual(20_000)
  expect(report.decoded).toBeGreaterThan(5000)
  expect(report.sessions).toBeGreaterThan(200)
  expect(report.strangers).toBeGreaterThan(1000)
  expect(report.strangerOctets.received).toBeGreaterThan(5000)
})
