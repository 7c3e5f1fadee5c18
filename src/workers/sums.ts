// What several workers tell of themselves, put together.

import type { BrokerInfo, GatewayInfo, LatencyInfo, StoreInfo } from '../console/view.ts'
import type { Counters } from '../gateway/counters.ts'

/** Adds numbers wherever they stand, in objects and arrays alike; of everything else it takes the first. */
function sumOf(values: readonly unknown[]): unknown {
  const [first] = values
  if (typeof first === 'number') return values.reduce<number>((sum, value) => sum + Number(value), 0)
  if (Array.isArray(first)) return first.map((_, i) => sumOf(values.map((value) => Object(value)[i])))
  if (typeof first !== 'object' || first === null) return first
  const names = new Set(values.flatMap((value) => Object.keys(Object(value))))
  const known = (name: string) =>
    values.map((value) => Object(value)[name]).filter((one) => one !== undefined)
  return Object.fromEntries([...names].map((name) => [name, sumOf(known(name))]))
}

/** The same for values of one type, of which all but the first may be incomplete; throws if there are none. */
function total<T extends object>(values: readonly Partial<T>[]): T {
  if (values.length === 0) throw new Error('there is no worker')
  return sumOf(values) as T
}

/** Counters of workers, and those of the first thread. */
export const sumOfCounters = (all: readonly Counters[]): Counters => total<Counters>(all)

type Counted = GatewayInfo['counters']

export const addCounters = (one: Counted | undefined, other: Counted): Counted =>
  one === undefined ? other : total<Counted>([one, other])

/** `own`: what the first thread counts; `past`: what workers have counted that are gone. */
export function sumOfInfos(infos: readonly GatewayInfo[], own: Counters, past?: Counted): GatewayInfo {
  const { faults, receivedDatagrams, receivedOctets, dropped } = own
  const sum = total<GatewayInfo>(infos)
  const { gwId, startedAt } = infos[0] ?? sum
  const further = { faults, receivedDatagrams, receivedOctets, dropped: dropped as Record<string, number> }
  const counters = total<Counted>([sum.counters, further, ...(past === undefined ? [] : [past])])
  return { ...sum, gwId, startedAt, counters }
}

export const sumOfBrokers = (infos: readonly BrokerInfo[]): BrokerInfo => ({
  ...total<BrokerInfo>(infos),
  healthy: infos.every(({ healthy }) => healthy),
})

/** They share one file, whose size each of them tells. */
export const sumOfStores = (infos: readonly StoreInfo[]): StoreInfo => ({
  ...total<StoreInfo>(infos),
  error: infos.find(({ error }) => error !== undefined)?.error,
  octets: Math.max(...infos.map(({ octets }) => octets)),
})

export const sumOfLatencies = (infos: readonly LatencyInfo[]): LatencyInfo => ({
  ...total<LatencyInfo>(infos),
  bounds: infos[0]?.bounds ?? [],
})
