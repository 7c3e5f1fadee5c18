// Histograms that were counted elsewhere: the library itself only observes single values.

import { Histogram, type HistogramConfiguration } from 'prom-client'
import type { HistogramInfo } from '../contract/gateway.ts'
import type { Labels } from './listener-metrics.ts'

/** One for each set of labels. */
export type Histograms = Iterable<readonly [Labels, HistogramInfo]>

export type AddHistogram = (
  name: string,
  help: string,
  labelNames: readonly string[],
  read: () => Histograms,
) => void

export class CountedHistogram extends Histogram {
  readonly #about: { readonly name: string; readonly help: string }
  readonly #read: () => Histograms

  constructor(configuration: HistogramConfiguration<string>, read: () => Histograms) {
    super(configuration)
    this.#about = { name: configuration.name, help: configuration.help }
    this.#read = read
  }

  /** Where the library takes its values from; `get` is built on it. */
  async getForPromString() {
    const { name } = this.#about
    const values = [...this.#read()].flatMap(([labels, { bounds, counts, sum, count }]) => [
      ...[...bounds, '+Inf'].map((le, i) => ({
        metricName: `${name}_bucket`,
        labels: { ...labels, le },
        value: counts[i] ?? count,
      })),
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ])
    return { ...this.#about, type: 'histogram', aggregator: 'sum', values }
  }
}
