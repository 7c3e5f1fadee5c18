// Loss, repetition and reordering of datagrams: whatever happens to one of them, the end is the same as without trouble
// [6.13, SN-RTX-1, SN-RTX-3].

import { describe, expect, it } from 'vitest'
import { down, expectSame, live, numbers, up } from '../support/life.ts'
import { type Air, clearAir } from '../support/patient.ts'

describe.each([
  ['CONNECT', false],
  ['the last message of a setup', true],
])('a sensor that repeats %s', (_, repeatsLast) => {
  const calm = live(clearAir, { repeatsLast })
  const indexes = Array.from({ length: calm.sensor.datagrams }, (_, i) => i)
  const expectCalmEnd = (name: string, air: Air) =>
    expect(() => expectSame(live(air, { repeatsLast }), calm), name).not.toThrow()

  it('has an uneventful life over clear air', () => {
    expect(up(calm)).toEqual(['up qos 1', 'up qos 2'])
    expect(down(calm)).toEqual([
      's/a down qos 1',
      's/b down qos 2',
      's/a next qos 1',
      's/b next qos 2',
      's/a sleeping qos 1',
      's/c sleeping qos 2',
      's/b woken qos 2',
      's/a offline qos 2',
    ])
    expect(calm.end.open).toEqual([0, 0, 0, undefined, undefined])
    expectSame(calm, calm)
  })

  it('ends the same whichever datagram is lost [SN-RTX-1, SN-RTX-3]', () => {
    for (const lost of indexes) {
      expectCalmEnd(`without datagram ${lost}`, (index) => (index === lost ? [] : [2]))
    }
  })

  it('ends the same whichever two datagrams in a row are lost [SN-RTX-1, SN-RTX-3]', () => {
    for (const lost of indexes) {
      const isLost = (index: number) => index === lost || index === lost + 1
      expectCalmEnd(`without datagrams ${lost} and ${lost + 1}`, (index) => (isLost(index) ? [] : [2]))
    }
  })

  it('ends the same whichever datagram comes twice [SN-RTX-1]', () => {
    for (const doubled of indexes) {
      expectCalmEnd(`with datagram ${doubled} twice`, (index) => (index === doubled ? [2, 3] : [2]))
    }
  })

  it('ends the same over air that loses, repeats and reorders at random [SN-RTX-1, SN-RTX-3]', () => {
    for (let seed = 1; seed <= 60; seed++) {
      const next = numbers(seed)
      expectCalmEnd(`seed ${seed}`, () => {
        const delay = 2 + next() * 400
        if (next() < 0.15) return []
        return next() < 0.1 ? [delay, delay + 1] : [delay]
      })
    }
  })
})
