// What is held while nobody serves its sensor, in virtual time: tables and random sequences.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HOLD_LIMITS, Hold } from '../../src/cluster/hold.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

/** A hold whose items are what was sent, and a note of what becomes of them. */
function scene(limits = {}) {
  const hold = new Hold<string>({ ...HOLD_LIMITS, ...limits })
  const served: string[] = []
  return {
    hold,
    served,
    keep: (from: number, text: string, now = 0) => hold.keep(from, bytes(text), `${from} ${text}`, now),
    settle: (mayGo: (item: string, from: number | string) => boolean) =>
      hold.settle(mayGo, (item) => void served.push(item)),
  }
}

describe('while anything of an address is held', () => {
  it('everything of it is held behind it, and what was held goes first, in order (R2)', () => {
    const { hold, keep, settle, served } = scene()
    expect(hold.has(1)).toBe(false)
    for (const text of ['publish', 'pubrel', 'pingreq']) expect(keep(1, text)).toBe('held')
    expect([hold.has(1), hold.has(2), hold.size]).toEqual([true, false, 3])
    settle(() => true)
    expect(served).toEqual(['1 publish', '1 pubrel', '1 pingreq'])
    expect([hold.has(1), hold.size]).toEqual([false, 0])
  })

  it('nothing of it overtakes one that has to be held on; other addresses do not wait for it (R2)', () => {
    const { keep, settle, served, hold } = scene()
    keep(1, 'connect')
    keep(2, 'publish')
    keep(1, 'publish')
    settle((item) => item !== '1 connect')
    expect(served).toEqual(['2 publish'])
    settle(() => true)
    expect(served).toEqual(['2 publish', '1 connect', '1 publish'])
    expect(hold.size).toBe(0)
  })

  it('the same octets are held once, of each address (R2)', () => {
    const { keep, settle, served } = scene()
    expect([keep(1, 'publish'), keep(1, 'publish'), keep(2, 'publish')]).toEqual(['held', 'known', 'held'])
    expect([keep(1, 'other'), keep(1, 'publish'), keep(1, '')]).toEqual(['held', 'known', 'held'])
    settle(() => true)
    expect(served).toEqual(['1 publish', '1 other', '1 ', '2 publish'])
  })

  it('what comes back goes before all that has not been handed over yet, in order (R2)', () => {
    const { hold, keep, settle, served } = scene()
    for (const text of ['disconnect', 'connect']) keep(1, text)
    for (const text of ['publish', 'pingreq']) hold.keep(1, bytes(text), `1 ${text}`, 0, true)
    settle(() => true)
    expect(served).toEqual(['1 publish', '1 pingreq', '1 disconnect', '1 connect'])
    expect(hold.size).toBe(0)
  })

  it('each is judged after what came before it was handed over', () => {
    const { keep, settle, served } = scene()
    keep(1, 'connect')
    keep(1, 'publish')
    settle((item) => !item.endsWith('publish') || served.length > 0)
    expect(served).toEqual(['1 connect', '1 publish'])
  })
})

describe('nothing', () => {
  it('is held for longer than two seconds: it is dropped then, and what came later stays (R3)', () => {
    const { hold, keep, settle, served } = scene()
    keep(1, 'first', 1000)
    keep(1, 'second', 1500)
    keep(2, 'third', 2500)
    expect(hold.expire(2999)).toEqual([])
    expect(hold.expire(3000)).toEqual(['1 first'])
    expect(hold.expire(3499)).toEqual([])
    expect([hold.expire(3500), hold.has(1)]).toEqual([['1 second'], false])
    settle(() => true)
    expect(served).toEqual(['2 third'])
    // a copy of what was dropped is a new one
    expect(keep(1, 'first', 4000)).toBe('held')
    expect([hold.clear(), hold.size]).toEqual([['1 first'], 0])
  })

  it('is held for longer as it stands behind something younger: others have held it before (R3)', () => {
    const { hold, keep, settle, served } = scene()
    keep(1, 'younger', 5000)
    keep(1, 'older', 3500)
    keep(1, 'youngest', 5100)
    expect(hold.expire(5499)).toEqual([])
    expect([hold.expire(5500), hold.size]).toEqual([['1 older'], 2])
    expect(keep(1, 'older', 5500)).toBe('held')
    settle(() => true)
    expect(served).toEqual(['1 younger', '1 youngest', '1 older'])
    expect([hold.has(1), hold.size]).toEqual([false, 0])
  })

  it('is held beyond the bounds of one address, of all, and of memory', () => {
    const { hold, keep } = scene({ datagramsOfOne: 2, datagrams: 4, octets: 10 })
    expect([keep(1, 'a'), keep(1, 'b'), keep(1, 'c')]).toEqual(['held', 'held', 'full'])
    expect([keep(2, '123456789'), keep(2, '12345678')]).toEqual(['full', 'held'])
    expect([keep(3, ''), keep(4, '')]).toEqual(['held', 'full'])
    hold.clear()
    expect([keep(4, '1234567890'), keep(4, '')]).toEqual(['held', 'held'])
  })
})

it('whatever happens, nothing is lost, doubled or overtaken within an address, and memory ends empty', () => {
  const step = fc.oneof(
    fc.record({ keep: fc.nat(3), after: fc.nat(900) }),
    fc.record({ open: fc.nat(3), after: fc.nat(900) }),
    fc.record({ expire: fc.constant(true), after: fc.nat(900) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { hold, settle, served } = scene()
      const sent: string[] = []
      const dropped: string[] = []
      let now = 0
      for (const one of steps) {
        now += one.after
        if ('keep' in one) {
          const text = String(sent.length).padStart(3, '0')
          const item = `${one.keep} ${text}`
          if (hold.keep(one.keep, bytes(text), item, now) === 'held') sent.push(item)
        } else if ('open' in one) settle((_, from) => from === one.open)
        else dropped.push(...hold.expire(now))
      }
      const left = hold.clear()
      expect([...served, ...dropped, ...left].sort()).toEqual([...sent].sort())
      for (const from of [0, 1, 2, 3]) {
        const of = (all: string[]) => all.filter((item) => item.startsWith(`${from} `))
        expect(of(served)).toEqual([...of(served)].sort())
      }
      expect(hold.size).toBe(0)
    }),
  )
})
