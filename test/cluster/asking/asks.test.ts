// Whose an address is, asked of all nodes in virtual time.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Answer, Asks } from '../../../src/cluster/asking/asks.ts'
import type { PeerKey } from '../../../src/session/peers.ts'

const SELF = 'gw-1'
const OTHERS = ['gw-2', 'gw-3']

/** A front of gw-1, where slots belong to the three nodes in turn. */
function scene({ linked = OTHERS }: { linked?: readonly string[] } = {}) {
  const questions: { id: number; keys: readonly PeerKey[] }[] = []
  const told: string[] = []
  const state = { owner: (slot: number): string | undefined => [SELF, ...OTHERS][slot % 3], self: true }
  const asks = new Asks({
    self: SELF,
    ask(id, keys) {
      questions.push({ id, keys })
      return linked
    },
    ownerOf: (slot) => state.owner(slot),
    servesItself: () => state.self,
    onFound: (key, slot) => told.push(`${key} is of slot ${slot}`),
    onNobodys: (keys) => told.push(`${keys} nobody's`),
    onDisplaced: (node, key) => told.push(`${key} is not at ${node} any more`),
  })
  const all = () => true
  const answer = (
    known: [PeerKey, number, number?][] = [],
    serves: (slot: number) => boolean = all,
  ): Answer => ({
    known: new Map(known.map(([key, slot, age = Number.POSITIVE_INFINITY]) => [key, { slot, age }])),
    serves,
  })
  const ask = (keys: readonly PeerKey[], now = 0) => {
    for (const key of keys) asks.want(key, '10.0.0.1', now)
    asks.flush(now)
    return questions.at(-1)?.id ?? 0
  }
  return { asks, questions, told, state, answer, ask }
}

describe('a sender whom nobody here knows', () => {
  it('is a stranger when the owner of every slot has said that it serves it and does not know him, and not before (R1)', () => {
    const { asks, told, answer, ask } = scene()
    const id = ask([7])
    asks.take('gw-2', id, answer(), 1)
    expect([told, asks.isNobodys(7, 1)]).toEqual([[], false])
    asks.take('gw-3', id, answer(), 2)
    expect([told, asks.isNobodys(7, 2)]).toEqual([["7 nobody's"], true])
  })

  it('is none as long as one slot is being loaded, or has no owner, or its owner has not answered (R1)', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1023 }),
        fc.constantFrom('loading', 'free', 'silent', 'elsewhere', 'own'),
        (slot, why) => {
          const { asks, told, answer, ask, state } = scene()
          const { owner } = state
          if (why === 'free') state.owner = (one) => (one === slot ? undefined : owner(one))
          // the table of this front says so; the node that has answered for it is not its owner any more
          if (why === 'elsewhere') state.owner = (one) => (one === slot ? 'gw-4' : owner(one))
          const id = ask([7])
          const isLoading = (node: string) => why === 'loading' && owner(slot) === node
          if (why === 'own' || isLoading(SELF)) state.self = false
          for (const node of OTHERS) {
            if (why === 'silent' && node === 'gw-3') continue
            asks.take(
              node,
              id,
              answer([], (one) => !(isLoading(node) && one === slot)),
              1,
            )
          }
          asks.tick(600, () => true)
          expect([told, asks.isNobodys(7, 600)]).toEqual([[], false])
        },
      ),
    )
  })

  it('is asked for again while something of him is held, and at once when something has changed', () => {
    const { asks, told, questions, answer, ask } = scene()
    const id = ask([7, 8])
    for (const node of OTHERS)
      asks.take(
        node,
        id,
        answer([], (slot) => slot !== 5),
        10,
      )
    asks.tick(100, () => true)
    asks.flush(100)
    expect(questions).toHaveLength(1)
    asks.tick(100, (key) => key === 7, true)
    asks.flush(100)
    expect(questions[1]?.keys).toEqual([7])
    for (const node of OTHERS)
      asks.take(
        node,
        2,
        answer([], (slot) => slot !== 5),
        110,
      )
    asks.tick(359, () => true)
    asks.flush(359)
    expect(questions).toHaveLength(2)
    asks.tick(360, () => true)
    asks.flush(360)
    for (const node of OTHERS) asks.take(node, 3, answer(), 370)
    expect([questions.length, told]).toEqual([3, ["7 nobody's"]])
  })

  it('stays one for a second, and is asked for anew then', () => {
    const { asks, answer, ask, questions } = scene({ linked: ['gw-2', 'gw-3'] })
    const id = ask([7])
    for (const node of OTHERS) asks.take(node, id, answer(), 0)
    expect([asks.isNobodys(7, 999), asks.isNobodys(7, 1000)]).toEqual([true, false])
    ask([7], 1000)
    expect(questions).toHaveLength(2)
  })

  it('is none any more when he has named himself', () => {
    const { asks, answer, ask } = scene()
    const id = ask([7])
    for (const node of OTHERS) asks.take(node, id, answer(), 0)
    asks.drop(7)
    expect(asks.isNobodys(7, 1)).toBe(false)
  })
})

describe('a sender whom another node knows', () => {
  it('is found when all have answered, whatever they serve, or soon after one of them that knows him', () => {
    for (const isSilent of [false, true]) {
      const { asks, told, answer, ask } = scene()
      const id = ask([7])
      asks.take(
        'gw-3',
        id,
        answer([[7, 5]], () => false),
        1,
      )
      if (!isSilent)
        asks.take(
          'gw-2',
          id,
          answer([], () => false),
          1,
        )
      asks.tick(99, () => true)
      expect(told).toEqual(isSilent ? [] : ['7 is of slot 5'])
      asks.tick(100, () => true)
      asks.take('gw-2', id, answer(), 150)
      expect(told).toEqual(['7 is of slot 5'])
    }
  })

  it('is whose who has known him for the shortest time, and the other one is told (R6)', () => {
    for (const [first, second] of [
      [400, 10],
      [10, 400],
      [Number.POSITIVE_INFINITY, 10],
    ] as const) {
      const { asks, told, answer, ask } = scene()
      const id = ask([7])
      asks.take('gw-2', id, answer([[7, 1, first]]), 1)
      asks.take('gw-3', id, answer([[7, 2, second]]), 2)
      expect(told).toEqual(
        second < first
          ? ['7 is not at gw-2 any more', '7 is of slot 2']
          : ['7 is not at gw-3 any more', '7 is of slot 1'],
      )
    }
  })
})

describe('questions', () => {
  it('of one turn travel together, each address once', () => {
    const { asks, questions } = scene()
    for (const key of [1, 2, 1, 3, 2]) expect(asks.want(key, 'a', 0)).toBe(true)
    asks.flush(0)
    asks.flush(0)
    expect(asks.want(1, 'a', 1)).toBe(true)
    asks.flush(1)
    expect(questions).toEqual([{ id: 1, keys: [1, 2, 3] }])
  })

  it('are limited, of each source and in all', () => {
    const { asks } = scene()
    const wanted = (source: string, from: number, count: number, now: number) =>
      Array.from({ length: count }, (_, i) => asks.want(from + i, source, now)).filter(Boolean).length
    expect(wanted('a', 0, 1500, 0)).toBe(1000)
    expect(wanted('a', 2000, 1500, 100)).toBe(100)
    let all = 1100
    for (let source = 0; source < 30; source += 1)
      all += wanted(`b${source}`, 10_000 + source * 1000, 1000, 100)
    expect(all).toBeLessThan(23_000)
    expect(all).toBeGreaterThan(20_000)
  })

  it('do not wait for a node that is lost, or silent, and believe nobody twice', () => {
    const { asks, told, answer, ask, state } = scene()
    const id = ask([7])
    asks.take('gw-2', id, answer(), 1)
    asks.take('gw-2', id, answer([[7, 1]]), 2)
    asks.take('gw-9', id, answer([[7, 1]]), 2)
    asks.take('gw-3', 99, answer([[7, 1]]), 2)
    expect(told).toEqual([])
    state.owner = (slot) => (slot % 2 === 0 ? SELF : 'gw-2')
    asks.lose('gw-3', 3)
    expect(told).toEqual(["7 nobody's"])
  })

  it('are answered by nobody where there is nobody else', () => {
    const { told, ask, state } = scene({ linked: [] })
    state.owner = () => SELF
    ask([7])
    expect(told).toEqual(["7 nobody's"])
  })
})
