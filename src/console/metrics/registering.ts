// Metrics that are read when somebody asks, not counted: what all registries here have in common.

import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { type AddHistogram, CountedHistogram } from './counted-histogram.ts'
import type { Add } from './listener-metrics.ts'

/** Each adds one kind of metric. */
export interface Adders {
  readonly counter: Add
  readonly gauge: Add
  readonly histogram: AddHistogram
}

/** What adds metrics to a registry, each with what it is read from. */
export function adders(registry: Registry): Adders {
  const registers = [registry]
  return {
    /** Only grows: the total is kept elsewhere, so it is set anew each time. */
    counter(name, help, labelNames, read) {
      new Counter({
        name,
        help,
        labelNames,
        registers,
        collect() {
          this.reset()
          for (const [labels, value] of read()) this.inc(labels, value)
        },
      })
    },
    gauge(name, help, labelNames, read) {
      new Gauge({
        name,
        help,
        labelNames,
        registers,
        collect() {
          this.reset()
          for (const [labels, value] of read()) this.set(labels, value)
        },
      })
    },
    histogram(name, help, labelNames, read) {
      registry.registerMetric(new CountedHistogram({ name, help, labelNames, registers }, read))
    },
  }
}

/** Gauges that are named like counters, and cost a list of all sockets each time. */
const MISNAMED = ['nodejs_active_handles', 'nodejs_active_requests', 'nodejs_active_resources']

let ofProcess: Registry | undefined

/** CPU, memory, descriptors, garbage collection, event-loop delay: once per process, as they watch from then on. */
export function processMetrics(): Registry {
  if (ofProcess !== undefined) return ofProcess
  ofProcess = new Registry()
  collectDefaultMetrics({ register: ofProcess })
  for (const name of MISNAMED) {
    ofProcess.removeSingleMetric(name)
    ofProcess.removeSingleMetric(`${name}_total`)
  }
  return ofProcess
}
