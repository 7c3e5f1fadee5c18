// What disturbs everybody on a shared connection, and how that is limited: rates, refusals that end the connection, offenders.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClosingRefusals } from '../../../src/upstream/aggregating/routing/closing-refusals.ts'
import { Offenders } from '../../../src/upstream/aggregating/routing/offenders.ts'
import { PublishRate } from '../../../src/upstream/aggregating/routing/publish-rate.ts'

describe('the rate of a shared connection', () => {
  it('is never above its limit, and a tenth, in any second, and close to it under load', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.array(fc.nat({ max: 30 }), { minLength: 50 }),
        (limit, gaps) => {
          const rate = new PublishRate(() => limit)
          const sent: number[] = []
          let now = 0
          for (const gap of gaps) {
            now += gap
            for (let pause = rate.take(now); ; pause = rate.take(now)) {
              if (pause === 0) sent.push(now)
              else {
                now += pause
                break
              }
            }
          }
          for (const at of sent) {
            const within = sent.filter((other) => other >= at && other < at + 1000).length
            expect(within).toBeLessThanOrEqual(limit + Math.max(1, limit / 10) + 1)
          }
        },
      ),
    )
  })

  it('has no limit where none is set', () => {
    const rate = new PublishRate(() => undefined)
    for (let i = 0; i < 10_000; i++) expect(rate.take(0)).toBe(0)
  })
})

describe('a broker that closes the connection after a refusal', () => {
  const one = { name: 'one' }
  const asked = (topic: string) => ({ member: one, kind: 'publish' as const, topic, retain: false })

  it('is not given the like of it a third time, for some minutes', () => {
    const refusals = new ClosingRefusals<typeof one>(({ name }) => name)
    for (const now of [0, 1000]) {
      expect(refusals.isBarred(asked('a'), now)).toBe(false)
      refusals.noteRefused(asked('a'), now)
      expect(refusals.takeBreak(now + 100)).toBe(true)
    }
    expect([refusals.isBarred(asked('a'), 2000), refusals.isBarred(asked('b'), 2000)]).toEqual([true, false])
    expect(refusals.isBarred(asked('a'), 400_000)).toBe(false)
  })

  it('is taken for one that has another reason if the break comes later, or without a refusal', () => {
    const refusals = new ClosingRefusals<typeof one>(({ name }) => name)
    expect(refusals.takeBreak(0)).toBe(false)
    refusals.noteRefused(asked('a'), 0)
    expect(refusals.takeBreak(600)).toBe(false)
    expect(refusals.takeBreak(601)).toBe(false)
  })
})

it('a sensor that sends ever more at which the broker hangs up waits ever longer, and others do not', () => {
  const offenders = new Offenders()
  let now = 0
  const waits: number[] = []
  for (let times = 1; times <= 30; times++) {
    offenders.note('bad', now)
    const since = now
    while (offenders.hasToWait('bad', now)) now += 500
    waits.push(now - since)
  }
  expect(waits.slice(0, 10)).toEqual(new Array(10).fill(0))
  expect(waits[10]).toBe(1000)
  expect(waits.slice(11)).toEqual(waits.slice(11).toSorted((a, b) => a - b))
  expect(waits.at(-1)).toBe(300_000)
  expect(offenders.hasToWait('good', now)).toBe(false)
})
