// The memory of addresses is bounded, whoever sends.

import { expect, it } from 'vitest'
import { AddressRate } from '../../src/dtls/server/opening/address-rate.ts'

it('remembers so many addresses and no more; the others share one count [DTLS-LIM-4]', () => {
  const rate = new AddressRate()
  const admitted = Array.from({ length: 10_000 }, (_, index) =>
    rate.admits(`10.0.${index >> 8}.${index & 255}`, 1, 0),
  )
  expect(rate.size).toBe(4096)
  expect(admitted.filter(Boolean)).toHaveLength(4097)
  expect(rate.admits('192.0.2.1', 1, 1000)).toBe(true)
  expect(rate.size).toBe(1)
})
