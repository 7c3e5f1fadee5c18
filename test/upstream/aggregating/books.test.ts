// Who still has to take a message of the broker, which identifier stands for which publish, and what is in doubt after a break.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Deliveries } from '../../../src/upstream/aggregating/routing/deliveries.ts'
import { Doubts } from '../../../src/upstream/aggregating/routing/doubts.ts'
import { type ExchangeRecord, Exchanges } from '../../../src/upstream/aggregating/routing/exchanges.ts'

describe('a message for several sensors', () => {
  it('is acknowledged once, when the last of them has it', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 }),
        fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 20 }),
        (members, answers) => {
          const deliveries = new Deliveries<string>()
          deliveries.begin(1, 77, members)
          const acks = [...answers, ...members].flatMap((member) => deliveries.complete(1, member) ?? [])
          expect(acks).toEqual([77])
          expect(deliveries.size).toBe(0)
        },
      ),
    )
  })

  it('does not wait for one that is gone', () => {
    const deliveries = new Deliveries<string>()
    deliveries.begin(1, 10, ['a', 'b'])
    deliveries.begin(2, 20, ['a'])
    expect(deliveries.leave('a')).toEqual([20])
    expect(deliveries.complete(1, 'b')).toBe(10)
  })

  it('of QoS 2 is known by its number until the broker releases it, over a break, but not over a new session', () => {
    const deliveries = new Deliveries<string>()
    deliveries.hold(5, 70_000, undefined)
    deliveries.begin(70_000, 1, ['a'])
    deliveries.disconnected()
    expect(deliveries.heldOf(5)?.number).toBe(70_000)
    expect(deliveries.complete(70_000, 'a')).toBeUndefined() // of a connection that is gone
    expect(deliveries.release(5)?.number).toBe(70_000)
    expect([deliveries.isActive(70_000), deliveries.release(5)]).toEqual([false, undefined])
    deliveries.restore(6, 70_001, undefined)
    expect(deliveries.clear().map(([packetId]) => packetId)).toEqual([6])
    expect(deliveries.isActive(70_001)).toBe(false)
  })
})

describe('identifiers of QoS 2 publishes', () => {
  const books = () => {
    const kept = new Map<number, ExchangeRecord>()
    const keep = (ordinal: number, record: ExchangeRecord | undefined): void => {
      if (record === undefined) kept.delete(ordinal)
      else kept.set(ordinal, record)
    }
    const restored = (): Exchanges => {
      const next = new Exchanges(keep)
      for (const [ordinal, record] of [...kept]) next.restore(ordinal, record)
      return next
    }
    return { kept, exchanges: new Exchanges(keep), restored }
  }

  it('are the same after a crash, and free again when both sides know that it is over', () => {
    const { kept, exchanges, restored } = books()
    exchanges.begin('s', 9, 100)
    const next = restored()
    expect([next.packetIdOf('s', 9), next.has(100)]).toEqual([100, true])
    next.finish(100, true)
    expect([next.packetIdOf('s', 9), next.has(100), kept.size]).toEqual([undefined, false, 0])
  })

  it('that the broker has finished while the sensor was away are remembered for its session', () => {
    const { kept, exchanges, restored } = books()
    exchanges.begin('s', 9, 100)
    exchanges.finish(100, false)
    const next = restored()
    expect([next.packetIdOf('s', 9), next.has(100)]).toEqual([0, false])
    next.settle('s', 9)
    expect([next.packetIdOf('s', 9), kept.size]).toEqual([undefined, 0])
  })

  it('that nobody asks for are brought to their end, and mean nothing to the next session of that name', () => {
    const { exchanges, restored } = books()
    exchanges.begin('s', 1, 100)
    exchanges.begin('s', 2, 101)
    exchanges.disown('s', (token) => token === 2)
    for (const one of [exchanges, restored()]) {
      expect([one.packetIdOf('s', 1), one.packetIdOf('s', 2)]).toEqual([undefined, 101])
      expect(one.orphans).toEqual([100])
    }
  })

  it('are all free when the broker has forgotten them', () => {
    const { kept, exchanges } = books()
    for (const token of [1, 2, 3]) exchanges.begin('s', token, 100 + token)
    exchanges.clear()
    expect([kept.size, exchanges.has(101), exchanges.packetIdOf('s', 1)]).toEqual([0, false, undefined])
  })

  it('whatever happens, no two that are open have the same, and records tell all of it', () => {
    const step = fc.record({
      do: fc.constantFrom('begin', 'finish', 'told', 'disown'),
      client: fc.constantFrom('a', 'b'),
      token: fc.nat({ max: 3 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { exchanges, restored } = books()
        let lastId = 0
        for (const { do: what, client, token } of steps) {
          const packetId = exchanges.packetIdOf(client, token)
          if (what === 'begin' && packetId === undefined) exchanges.begin(client, token, ++lastId)
          else if (what === 'finish' && packetId) exchanges.finish(packetId, false)
          else if (what === 'told' && packetId) exchanges.finish(packetId, true)
          else if (what === 'disown') exchanges.disown(client, (one) => one !== token)
        }
        const next = restored()
        for (const client of ['a', 'b'])
          for (let token = 0; token <= 3; token++)
            expect(next.packetIdOf(client, token)).toBe(exchanges.packetIdOf(client, token))
        expect(next.orphans.toSorted()).toEqual(exchanges.orphans.toSorted())
      }),
    )
  })
})

describe('doubts after a break', () => {
  const [one, two] = [{ name: 'one' }, { name: 'two' }]
  const asked = (member: object, topic: string) => ({
    member,
    kind: 'publish' as const,
    topic,
    retain: false,
  })

  it('concern a sensor`s topic, until the broker has taken it', () => {
    const doubts = new Doubts<object>()
    doubts.add(asked(one, 'a'))
    expect([doubts.has(asked(one, 'a')), doubts.has(asked(two, 'a')), doubts.has(asked(one, 'b'))]).toEqual([
      true,
      false,
      false,
    ])
    doubts.delete(asked(one, 'a'))
    expect(doubts.isEmpty).toBe(true)
  })

  it('concern a subscription whoever asks for it', () => {
    const doubts = new Doubts<object>()
    doubts.add({ member: one, kind: 'subscribe', topic: 'a', retain: false })
    expect(doubts.has({ member: undefined, kind: 'subscribe', topic: 'a', retain: false })).toBe(true)
  })

  it('concern what was sent at QoS 0 since the broker last answered, and not long before', () => {
    const doubts = new Doubts<object>()
    doubts.noteSent(one, 'proved', false, 1, 0)
    doubts.prove(doubts.mark)
    doubts.noteSent(one, 'a', false, 1, 10)
    doubts.noteSent(two, 'b', true, 2, 20)
    doubts.noteSent(one, 'a', false, 1, 30)
    expect(doubts.takeRecent(40).map(({ topic, length }) => [topic, length])).toEqual([
      ['a', 1],
      ['b', 2],
    ])
    expect(doubts.takeRecent(40)).toEqual([])
    doubts.noteSent(one, 'late', false, 1, 50)
    expect(doubts.takeRecent(2000)).toEqual([])
  })

  it('are bounded, however much was under way', () => {
    const doubts = new Doubts<object>()
    for (let i = 0; i < 10_000; i++) {
      doubts.add(asked(one, `topic ${i}`))
      doubts.noteSent(one, `topic ${i}`, false, 1, 0)
    }
    expect(doubts.takeRecent(1).length).toBe(256)
    expect(doubts.has(asked(one, 'topic 9999'))).toBe(true)
  })
})
