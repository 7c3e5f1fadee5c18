// What several workers tell of themselves, put together. Every field has a merge rule: a new field without one does not
// compile.

import type {
  BrokerInfo,
  EngineInfo,
  GatewayInfo,
  HistogramInfo,
  StoreInfo,
} from '../console/contract/gateway.ts'
import type { Counters } from '../gateway/counters.ts'

/** Makes one value of those of all workers, of which there is at least one. */
type Merge<T> = (values: readonly T[]) => T

/** A merge rule for every field, optional ones included. */
type Rules<T> = { readonly [Field in keyof T]-?: Merge<T[Field]> }

type Table = Readonly<Record<string, number>>

const sum: Merge<number> = (values) => values.reduce((total, value) => total + value, 0)
const max: Merge<number> = (values) => Math.max(...values)
const min: Merge<number> = (values) => Math.min(...values)
const all: Merge<boolean> = (values) => values.every((value) => value)

const some: Merge<boolean> = (values) => values.some((value) => value)

/** For what is the same for all workers. */
const first = <T>(values: readonly T[]): T => values[0] as T

/** For what some workers know, or suffer from, and others do not. */
const firstDefined = <T>(values: readonly (T | undefined)[]): T | undefined =>
  values.find((value) => value !== undefined)

/** Adds what stands under the same name; a name that only some have counts from zero. */
function sumTables<T extends Partial<Table>>(tables: readonly T[]): T {
  const total: Record<string, number> = {}
  for (const table of tables) {
    for (const [name, value = 0] of Object.entries(table)) total[name] = (total[name] ?? 0) + value
  }
  return total as T
}

/** Adds what stands in the same place of lists that are equally long. */
const sumLists: Merge<readonly number[]> = (lists) =>
  first(lists).map((_, i) => sum(lists.map((list) => list[i] ?? 0)))

/** Merges field by field; throws an Error if there is nothing to merge. */
function merge<T extends object>(rules: Rules<T>, values: readonly T[]): T {
  if (values.length === 0) throw new Error('there is no worker')
  const merged: Partial<T> = {}
  for (const name of Object.keys(rules) as (keyof T)[]) {
    merged[name] = rules[name](values.map((value) => value[name]))
  }
  return merged as T
}

type Counted = GatewayInfo['counters']

const countedRules: Rules<Counted> = {
  receivedDatagrams: sum,
  receivedOctets: sum,
  sentDatagrams: sum,
  sentOctets: sum,
  published: sum,
  delivered: sum,
  retransmissions: sum,
  faults: sum,
  received: sumTables,
  sent: sumTables,
  dropped: sumTables,
  refusals: sumTables,
  losses: sumTables,
}

const counterRules: Rules<Counters> = {
  ...countedRules,
  received: sumTables,
  sent: sumTables,
  dropped: sumTables,
  refusals: sumTables,
  losses: sumTables,
  storeFailures: sum,
}

const infoRules: Rules<GatewayInfo> = {
  version: first,
  gwId: first,
  node: first,
  clusterNode: first,
  startedAt: min,
  sensors: sumTables,
  departed: sum,
  forgotten: sum,
  queuedMessages: sum,
  queuedOctets: sum,
  queuesFull: some,
  spooledMessages: sum,
  spooledOctets: sum,
  deadLetters: sum,
  deadLetterOctets: sum,
  counters: (values) => merge(countedRules, values),
}

const brokerRules: Rules<BrokerInfo> = {
  url: first,
  healthy: all,
  trouble: firstDefined,
  version: firstDefined,
  openings: sum,
  connected: sum,
  connecting: sum,
  waiting: sum,
  refused: sum,
  lost: sum,
  portless: sum,
  shared: (lists) => lists.flat(), // each worker has its own
}

const engineRules: Rules<EngineInfo> = {
  host: first,
  up: all,
  replicated: (values) => (values.includes(false) ? false : firstDefined(values)),
  warnings: (lists) => [...new Set(lists.flat())],
}

const storeRules: Rules<StoreInfo> = {
  type: first,
  error: firstDefined,
  groups: sum,
  seconds: sum,
  failures: sum,
  octets: max, // all workers have one file, whose size each of them tells
  held: sum,
  engine(values) {
    const known = values.filter((value) => value !== undefined)
    return known.length === 0 ? undefined : merge(engineRules, known)
  },
}

const latencyRules: Rules<HistogramInfo> = { bounds: first, counts: sumLists, sum, count: sum }

/** Counters of workers, and those of the first thread. Throws an Error if there are none, like all that follow. */
export const sumOfCounters = (counters: readonly Counters[]): Counters => merge(counterRules, counters)

/** Adds what a worker had counted when it ended to what others had. */
export const addCounters = (one: Counted | undefined, other: Counted): Counted =>
  one === undefined ? other : merge(countedRules, [one, other])

/** `own`: what the first thread counts; `past`: what workers have counted that are gone. */
export function sumOfInfos(infos: readonly GatewayInfo[], own: Counters, past?: Counted): GatewayInfo {
  const total = merge(infoRules, infos)
  // The first thread decodes nothing, so that it has no message types to count.
  const further: Counted = {
    ...own,
    received: {},
    sent: {},
    dropped: own.dropped as Table,
    refusals: own.refusals as Table,
    losses: own.losses as Table,
  }
  const gone = past === undefined ? [] : [past]
  return { ...total, counters: merge(countedRules, [total.counters, further, ...gone]) }
}

/** What the nodes of a cluster tell; the first is the one that was asked. */
export const sumOfNodes = (infos: readonly GatewayInfo[]): GatewayInfo => merge(infoRules, infos)

/** The broker is healthy if all workers reach it. */
export const sumOfBrokers = (infos: readonly BrokerInfo[]): BrokerInfo => merge(brokerRules, infos)

/** The store has the error of any worker. */
export const sumOfStores = (infos: readonly StoreInfo[]): StoreInfo => merge(storeRules, infos)

/** One histogram of several with the same bounds. */
export const sumOfLatencies = (infos: readonly HistogramInfo[]): HistogramInfo => merge(latencyRules, infos)
