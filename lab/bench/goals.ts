// What the gateway is meant to reach, and what Eclipse Paho's C++ gateway was measured at. Paho's figures come from a machine
// of this kind with two cores, Mosquitto and the load beside it: only ratios can be carried over to another one.

import type { FigureName } from './figures.ts'

/** A goal for one figure of one measurement. */
export interface Goal {
  readonly scenario: string
  readonly variant?: string
  readonly sensors: number
  readonly figure: FigureName
  /** the figure may not be larger, or not smaller than this */
  readonly atMost?: number
  readonly atLeast?: number
}

export const goals: readonly Goal[] = [
  { scenario: 'uplink-qos0', sensors: 500, figure: 'cpu', atMost: 18 },
  { scenario: 'uplink-qos0', sensors: 500, figure: 'rate', atLeast: 25_000 },
  { scenario: 'uplink-qos1', sensors: 500, figure: 'cpu', atMost: 35 },
  { scenario: 'uplink-qos1', sensors: 5000, figure: 'p99', atMost: 250 },
  { scenario: 'uplink-qos1', sensors: 5000, figure: 'lost', atMost: 0 },
  { scenario: 'uplink-qos2', variant: 'memory', sensors: 500, figure: 'cpu', atMost: 70 },
  { scenario: 'uplink-qos2', variant: 'lmdb', sensors: 500, figure: 'cpu', atMost: 70 },
  { scenario: 'uplink-qos1', sensors: 1, figure: 'p50', atMost: 0.25 },
  { scenario: 'downlink-qos0', sensors: 500, figure: 'rate', atLeast: 25_000 },
  { scenario: 'downlink-qos1', variant: 'lmdb', sensors: 500, figure: 'rate', atLeast: 12_000 },
  { scenario: 'burst', sensors: 500, figure: 'arrived', atLeast: 100 },
  { scenario: 'connect', sensors: 500, figure: 'p50', atMost: 10 },
  { scenario: 'connect', sensors: 500, figure: 'p99', atMost: 60 },
  { scenario: 'connect', sensors: 5000, figure: 'rate', atLeast: 2500 },
  { scenario: 'memory', sensors: 5000, figure: 'memory', atMost: 20 },
  { scenario: 'idle', sensors: 10_000, figure: 'busy', atMost: 2 },
]

/** Paho's C++ gateway, in the words of our figures. */
export const paho: readonly {
  readonly scenario: string
  readonly variant?: string
  readonly sensors: number
  readonly figures: { readonly [Name in FigureName]?: number }
}[] = [
  { scenario: 'uplink-qos1', sensors: 1, figures: { rate: 4100, cpu: 169, p50: 0.23, p99: 0.36 } },
  { scenario: 'uplink-qos1', sensors: 50, figures: { rate: 13_900, cpu: 66, p50: 3.2, p99: 7.9 } },
  { scenario: 'uplink-qos1', sensors: 500, figures: { rate: 14_200, cpu: 86, p50: 17, p99: 49 } },
  { scenario: 'uplink-qos1', sensors: 5000, figures: { rate: 15_000, cpu: 86, p50: 23, p99: 4077 } },
  {
    scenario: 'uplink-qos2',
    variant: 'memory',
    sensors: 50,
    figures: { rate: 10_000, cpu: 119, p50: 4.9, p99: 7.8 },
  },
  {
    scenario: 'uplink-qos2',
    variant: 'memory',
    sensors: 500,
    figures: { rate: 8600, cpu: 144, p50: 27, p99: 2055 },
  },
  { scenario: 'uplink-qos0', sensors: 1, figures: { rate: 12_750, cpu: 78 } },
  { scenario: 'uplink-qos0', sensors: 50, figures: { rate: 10_000, cpu: 78 } },
  { scenario: 'uplink-qos0', sensors: 500, figures: { rate: 7500, cpu: 78 } },
  { scenario: 'latency', variant: 'QoS 0', sensors: 1, figures: { p50: 0.1 } },
  { scenario: 'downlink-qos0', sensors: 50, figures: { rate: 23_100, p50: 2.5, p99: 6.3 } },
  { scenario: 'downlink-qos0', sensors: 500, figures: { rate: 15_300, p50: 3.8, p99: 7.6 } },
  {
    scenario: 'downlink-qos1',
    variant: 'memory',
    sensors: 50,
    figures: { rate: 12_400, p50: 4.6, p99: 10.9 },
  },
  { scenario: 'downlink-qos1', variant: 'memory', sensors: 500, figures: { rate: 7000, p50: 8.5, p99: 16 } },
  { scenario: 'connect', sensors: 500, figures: { rate: 134, p50: 501, p99: 505 } },
  { scenario: 'connect', sensors: 5000, figures: { rate: 294, p50: 501, p99: 505 } },
]
