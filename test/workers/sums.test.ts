// What several workers tell of themselves, put together for the console.

import { describe, expect, it } from 'vitest'
import { createCounters } from '../../src/gateway/counters.ts'
import { addObservation, createHistogram } from '../../src/histogram.ts'
import {
  addCounters,
  sumOfBrokers,
  sumOfCounters,
  sumOfInfos,
  sumOfLatencies,
  sumOfStores,
} from '../../src/workers/sums.ts'
import { scriptedView } from '../console/scripted-view.ts'

describe('sums of workers', () => {
  it('add up sensors and counters, and keep what is the same for all', () => {
    const { info } = scriptedView().now
    const counters = { ...info.counters, dropped: { 'rate-limited': 2, overloaded: 1 } }
    const own = { ...createCounters(), faults: 3, dropped: { overloaded: 4 } }
    const sum = sumOfInfos([info, { ...info, startedAt: info.startedAt + 5, counters }], own)
    expect([sum.gwId, sum.startedAt, sum.version]).toEqual([info.gwId, info.startedAt, info.version])
    expect(sum.sensors.active).toBe(2 * info.sensors.active)
    expect(sum.counters.receivedDatagrams).toBe(2 * info.counters.receivedDatagrams)
    expect(sum.counters.faults).toBe(2 * info.counters.faults + 3)
    const before = info.counters.dropped['rate-limited'] ?? 0
    expect(sum.counters.dropped).toMatchObject({ 'rate-limited': before + 2, overloaded: 5 })
  })

  it('tell the start of the worker that has served longest, whichever one that is', () => {
    const { info } = scriptedView().now
    const restarted = { ...info, startedAt: info.startedAt + 5000 }
    expect(sumOfInfos([restarted, info], createCounters()).startedAt).toBe(info.startedAt)
  })

  it('keep what is told of workers that are gone', () => {
    const { info } = scriptedView().now
    const past = addCounters(addCounters(undefined, info.counters), info.counters)
    const { counters } = sumOfInfos([info], createCounters(), past)
    expect(counters.published).toBe(3 * info.counters.published)
    for (const [type, count] of Object.entries(info.counters.received)) {
      expect(counters.received[type]).toBe(3 * count)
    }
  })

  it('have every field of what they sum up, and add no version, id or bound', () => {
    const { info, broker, store } = scriptedView().now
    const latency = createHistogram()
    addObservation(latency, 0.02)
    expect(Object.keys(sumOfInfos([info, info], createCounters())).sort()).toEqual(Object.keys(info).sort())
    expect(sumOfInfos([info, info], createCounters())).toMatchObject({ gwId: info.gwId, node: info.node })
    expect(sumOfBrokers([broker])).toEqual(broker)
    expect(sumOfStores([store])).toEqual(store)
    expect(sumOfLatencies([latency])).toEqual(latency)
    expect(sumOfInfos([info], createCounters())).toEqual(info)
  })

  it('know the version of the broker as soon as one worker does', () => {
    const { broker } = scriptedView().now
    const unknown = { ...broker, version: undefined }
    expect(sumOfBrokers([unknown, broker]).version).toBe(broker.version)
    expect(sumOfBrokers([unknown, unknown]).version).toBeUndefined()
  })

  it('of no worker at all are an error', () => {
    expect(() => sumOfCounters([])).toThrow('there is no worker')
  })

  it('know counters that only some have', () => {
    const one = { ...createCounters(), received: { connect: 1 }, published: 2 }
    const other = { ...createCounters(), received: { connect: 2, publish: 5 } }
    expect(sumOfCounters([one, other])).toEqual({
      ...createCounters(),
      received: { connect: 3, publish: 5 },
      published: 2,
    })
  })

  it('call the broker healthy if all reach it, and the store sick if one cannot write', () => {
    const { broker, store } = scriptedView().now
    expect(sumOfBrokers([broker, { ...broker, healthy: false }])).toEqual({
      ...broker,
      healthy: false,
      connected: 2 * broker.connected,
      connecting: 2 * broker.connecting,
      waiting: 2 * broker.waiting,
      refused: 2 * broker.refused,
      lost: 2 * broker.lost,
      portless: 2 * broker.portless,
      shared: [...broker.shared, ...broker.shared],
      openings: 2 * broker.openings,
    })
    const sick = { ...store, error: 'the disk is full', octets: store.octets + 1 }
    expect(sumOfStores([store, sick])).toMatchObject({
      error: 'the disk is full',
      octets: store.octets + 1,
      groups: 2 * store.groups,
    })
  })

  it('make one histogram of several', () => {
    const [a, b, both] = [createHistogram(), createHistogram(), createHistogram()]
    for (const seconds of [0.001, 0.2]) addObservation(a, seconds)
    for (const seconds of [0.02, 20]) addObservation(b, seconds)
    for (const seconds of [0.001, 0.2, 0.02, 20]) addObservation(both, seconds)
    expect(sumOfLatencies([a, b])).toEqual(both)
  })
})
