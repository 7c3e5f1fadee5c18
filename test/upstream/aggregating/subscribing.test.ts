// What sensors that share a connection ask for, what the broker is asked, and who is to get what: against a model of a broker.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { matches } from '../../../src/mqtt-topics.ts'
import type { Entry, Qos } from '../../../src/upstream/aggregating/routing/entry.ts'
import { FilterTable } from '../../../src/upstream/aggregating/routing/filter-table.ts'
import { audienceOf, subscribersOf } from '../../../src/upstream/aggregating/routing/recipients.ts'
import {
  AFTERGLOW,
  breakSubscribing,
  leaveFilter,
  nextStep,
  requestFilter,
  resumeSubscribing,
  takeSatisfied,
  takeSuback,
  takeUnsuback,
  wipeMember,
} from '../../../src/upstream/aggregating/routing/subscribing.ts'

const everyone = () => true

/** A connection: what is asked is answered when `answer` is called. */
class Model {
  readonly table = new FilterTable<string>()
  readonly broker = new Map<string, Qos>()
  readonly asked: string[] = []
  readonly told: string[] = []
  now = 0
  up = true
  readonly #byTopic: boolean
  /** what the broker does, and how the gateway hears of it */
  #underWay: { take(): void; answer(): void }[] = []

  constructor(byTopic = false) {
    this.#byTopic = byTopic
  }

  subscribe(member: string, filter: string, qos: Qos, replay = true): void {
    if (!this.up) return
    this.#sync(requestFilter(this.table, filter, { member, token: 1, qos, replay }))
  }

  unsubscribe(member: string, filter: string): void {
    const entry = leaveFilter(this.table, filter, member)
    if (entry !== undefined) this.#sync(entry)
  }

  wipe(member: string): void {
    for (const entry of wipeMember(this.table, member)) this.#sync(entry)
  }

  /** The broker answers all that is under way, and what follows from that. */
  answer(outcome: 0 | 1 | 3 = 0): void {
    for (let next = this.#underWay; next.length > 0; next = this.#underWay) {
      this.#underWay = []
      for (const step of next) {
        step.take()
        step.answer()
      }
      if (outcome !== 0) break
    }
  }

  /** `took`: the broker has done what was under way, but its answers are lost */
  cut(isPresent: boolean, took = false): void {
    this.up = false
    if (took) for (const step of this.#underWay) step.take()
    this.#underWay = []
    for (const { member } of breakSubscribing(this.table)) this.told.push(`${member} fails`)
    if (!isPresent) this.broker.clear()
    const before = this.table.all
    resumeSubscribing(this.table, isPresent)
    this.up = true
    for (const entry of before) this.#sync(entry)
  }

  #sync(entry: Entry<string>): void {
    const step = nextStep(this.table, entry, this.#byTopic)
    if (step === undefined) {
      const answers = takeSatisfied(entry)
      for (const { request, qos } of answers) this.told.push(`${request.member} ${qos}`)
      if (answers.length > 0) return this.#sync(entry)
      this.table.prune(entry)
      return
    }
    const { filter } = entry
    this.asked.push(
      step.type === 'subscribe' ? `${filter} ${step.qos}${step.replay ? ' replay' : ''}` : `no ${filter}`,
    )
    this.#underWay.push({
      take: () => {
        if (step.type === 'unsubscribe') this.broker.delete(filter)
        else this.broker.set(filter, step.qos)
      },
      answer: () => {
        if (step.type === 'unsubscribe') takeUnsuback(entry)
        else {
          const { answers } = takeSuback(this.table, entry, { outcome: 0, qos: step.qos }, this.now)
          for (const { request, qos } of answers) this.told.push(`${request.member} ${qos}`)
          if (this.#byTopic) for (const other of this.table.toRaise(entry)) this.#sync(other)
        }
        this.#sync(entry)
      },
    })
  }
}

const entriesOf = (model: Model, topic: string) => model.table.entriesFor(topic, [])
const audience = (model: Model, topic: string) => {
  const found = audienceOf(entriesOf(model, topic), model.now)
  return found === undefined ? undefined : [...found.keys()]
}

describe('subscriptions of sensors that share a connection', () => {
  it('are one at the broker: the first asks for it, the last ends it', () => {
    const model = new Model()
    model.subscribe('one', 'a', 1)
    model.answer()
    model.subscribe('two', 'a', 1, false)
    model.unsubscribe('one', 'a')
    expect(model.asked).toEqual(['a 1 replay'])
    model.unsubscribe('two', 'a')
    model.answer()
    expect(model.asked).toEqual(['a 1 replay', 'no a'])
    expect([model.broker.size, model.table.size]).toEqual([0, 0])
  })

  it('have the highest QoS that one of them asks for, and each is told its own', () => {
    const model = new Model()
    for (const [member, qos] of [
      ['low', 0],
      ['high', 2],
      ['middle', 1],
    ] as const) {
      model.subscribe(member, 'a', qos)
      model.answer()
    }
    expect(model.broker.get('a')).toBe(2)
    expect(model.told).toEqual(['low 0', 'high 2', 'middle 1'])
  })

  it('asked for while one is under way are answered by the next, once for all', () => {
    const model = new Model()
    model.subscribe('one', 'a', 1)
    for (const member of ['two', 'three']) model.subscribe(member, 'a', 1)
    model.answer()
    expect(model.asked).toEqual(['a 1 replay', 'a 1 replay'])
    expect(model.told).toEqual(['one 1', 'two 1', 'three 1'])
  })

  it('give retained messages to the sensor that has just asked, and to nobody else [SN-MAP-3]', () => {
    const model = new Model()
    model.subscribe('one', 'a/+', 1)
    expect(audience(model, 'a/b')).toEqual(['one'])
    model.answer()
    expect(audience(model, 'a/b')).toEqual(['one'])
    model.now += AFTERGLOW
    model.subscribe('two', 'a/+', 1)
    expect(audience(model, 'a/b')).toEqual(['two'])
    model.answer()
    model.now += AFTERGLOW
    expect(audience(model, 'a/b')).toBeUndefined() // whoever sends one now means it for all
  })

  it('are given back to a broker that has lost them, without retained messages for anybody', () => {
    const model = new Model()
    model.subscribe('one', 'a', 2)
    model.answer()
    model.cut(false)
    model.answer()
    expect(model.asked.slice(1)).toEqual(['a 2'])
    expect(audience(model, 'a')).toEqual([])
  })

  for (const took of [true, false])
    it(`are not left behind at a broker whose answer was lost, ${took ? 'though' : 'where'} it had ${took ? '' : 'not '}taken them`, () => {
      const model = new Model()
      model.subscribe('one', 'a', 0)
      if (!took) model.answer()
      model.subscribe('one', 'a', 2)
      model.unsubscribe('one', 'a')
      model.cut(true, took)
      model.answer()
      expect([model.broker.size, model.table.size]).toEqual([0, 0])
    })

  it('that overlap have one QoS, where messages do not tell which of them they come for', () => {
    const model = new Model(true)
    model.subscribe('low', 'a/#', 0)
    model.answer()
    model.subscribe('high', 'a/b', 2)
    model.answer()
    expect([...model.broker]).toEqual([
      ['a/#', 2],
      ['a/b', 2],
    ])
  })

  it('of a share go to one of its sensors, in turns, and to one who is there', () => {
    const model = new Model()
    for (const member of ['one', 'two', 'three']) model.table.join(model.table.open('$share/g/a'), member, 1)
    const entry = model.table.get('$share/g/a')
    const take = (isThere: (member: string) => boolean = everyone) =>
      [...subscribersOf(entry === undefined ? [] : [entry], isThere).keys()][0]
    expect([take(), take(), take(), take()]).toEqual(['one', 'two', 'three', 'one'])
    expect(take((member) => member !== 'two')).toBe('three')
    expect(take(() => false)).toBe('two')
    expect(entriesOf(model, 'a')).toEqual([]) // nothing tells its messages from those of others
  })

  it('with one identifier are told apart by the topic', () => {
    const model = new Model()
    const [one, two] = [model.table.open('a'), model.table.open('b')]
    expect(model.table.entriesFor('a', [one.identifier, two.identifier])).toEqual([one, two])
    expect(model.table.entriesFor('a', [12])).toEqual([])
  })

  const members = ['one', 'two', 'three']
  const filters = ['a', 'a/b', 'a/+', '#', '$share/g/a']
  const command = fc.oneof(
    fc.record({
      do: fc.constant('subscribe' as const),
      member: fc.constantFrom(...members),
      filter: fc.constantFrom(...filters),
      qos: fc.constantFrom<Qos>(0, 1, 2),
      replay: fc.boolean(),
    }),
    fc.record({
      do: fc.constant('unsubscribe' as const),
      member: fc.constantFrom(...members),
      filter: fc.constantFrom(...filters),
    }),
    fc.record({ do: fc.constant('wipe' as const), member: fc.constantFrom(...members) }),
    fc.record({ do: fc.constant('answer' as const) }),
    fc.record({ do: fc.constant('cut' as const), isPresent: fc.boolean(), took: fc.boolean() }),
  )

  it('whatever happens, the broker has what sensors want in the end, at a QoS that serves all, and nothing else', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(command, { maxLength: 40 }), (byTopic, commands) => {
        const model = new Model(byTopic)
        const wanted = new Map<string, Map<string, Qos>>()
        const unsure = new Map<string, string>()
        for (const one of commands) {
          if (one.do === 'subscribe') {
            model.subscribe(one.member, one.filter, one.qos, one.replay)
            const of = wanted.get(one.filter) ?? new Map<string, Qos>()
            wanted.set(one.filter, of.set(one.member, one.qos))
            unsure.set(`${one.member} ${one.filter}`, one.filter)
          } else if (one.do === 'unsubscribe') {
            model.unsubscribe(one.member, one.filter)
            wanted.get(one.filter)?.delete(one.member)
          } else if (one.do === 'wipe') {
            model.wipe(one.member)
            for (const of of wanted.values()) of.delete(one.member)
          } else if (one.do === 'answer') {
            model.answer()
            unsure.clear()
          } else model.cut(one.isPresent, one.took)
          if (one.do === 'cut') {
            // what was not answered is as it was before, which the table tells
            for (const filter of new Set(unsure.values()))
              wanted.set(filter, new Map(model.table.get(filter)?.subscribers))
            unsure.clear()
          }
        }
        model.answer()
        for (const filter of filters) {
          const of = wanted.get(filter) ?? new Map<string, Qos>()
          expect(new Map(model.table.get(filter)?.subscribers)).toEqual(of)
          expect(model.broker.has(filter)).toBe(of.size > 0)
          const highest = Math.max(0, ...of.values())
          if (of.size > 0) expect(model.broker.get(filter)).toBeGreaterThanOrEqual(highest)
        }
        for (const topic of ['a', 'a/b', 'c']) {
          const expected = new Set(
            [...wanted].flatMap(([filter, of]) =>
              !filter.startsWith('$share') && matches(filter, topic) ? [...of.keys()] : [],
            ),
          )
          expect(new Set(subscribersOf(entriesOf(model, topic), everyone).keys())).toEqual(expected)
        }
      }),
      { numRuns: 2000 },
    )
  })
})
