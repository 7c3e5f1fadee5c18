// What the gateway is meant to reach. Two goals are ratios to the least that a loop in C needs for the same messages, because a ratio
// within one run holds on any machine. Those of `here` are for the machine that docs/performance.md names; the others hold anywhere.

import type { FigureName } from './figures.ts'

/** A measurement, by what it is called. */
export interface Measurement {
  readonly scenario: string
  readonly variant?: string
  readonly sensors: number
}

/** A goal for one figure of one measurement. */
export type Goal = Measurement & { readonly figure: FigureName } & (
    | { readonly atMost: number }
    | { readonly atLeast: number }
    /** so many times the same figure of another measurement of the same run */
    | { readonly atMostTimes: number; readonly of: Measurement }
    /** above the same figure of another measurement of the same run */
    | { readonly atMostMore: number; readonly of: Measurement }
  )

/** How many times the processor time of the bare C loop a message may cost. */
export const MOST_TIMES_BARE = 1.7

const bare = (variant: string): Measurement => ({ scenario: 'bare', variant, sensors: 500 })

/** Two cores of a server, shared with broker and load; the store is the durable one. */
const here: readonly Goal[] = [
  { scenario: 'uplink-qos0', sensors: 500, figure: 'cpu', atMost: 9 },
  { scenario: 'uplink-qos1', sensors: 500, figure: 'cpu', atMost: 18 },
  { scenario: 'uplink-qos1', sensors: 5000, figure: 'p99', atMost: 180 },
  { scenario: 'uplink-qos2', variant: 'lmdb', sensors: 500, figure: 'cpu', atMost: 50 },
  { scenario: 'downlink-qos1', variant: 'lmdb', sensors: 500, figure: 'rate', atLeast: 32_000 },
  { scenario: 'downlink-qos1', variant: 'lmdb', sensors: 500, figure: 'cpu', atMost: 30 },
  { scenario: 'latency', variant: 'QoS 0', sensors: 1, figure: 'p50', atMost: 0.45 },
  { scenario: 'connect', sensors: 500, figure: 'p50', atMost: 8 },
  { scenario: 'memory', sensors: 5000, figure: 'memory', atMost: 8 },
]

export const goals: readonly Goal[] = [
  ...here,
  {
    scenario: 'uplink-qos0',
    sensors: 500,
    figure: 'cpu',
    atMostTimes: MOST_TIMES_BARE,
    of: bare('QoS 0'),
  },
  {
    scenario: 'uplink-qos1',
    sensors: 500,
    figure: 'cpu',
    atMostTimes: MOST_TIMES_BARE,
    of: bare('QoS 1'),
  },
  { scenario: 'uplink-qos1-shared', sensors: 500, figure: 'cpu', atMost: 12 },
  { scenario: 'uplink-qos1-shared', sensors: 500, figure: 'lost', atMost: 0 },
  { scenario: 'memory-shared', sensors: 5000, figure: 'memory', atMost: 4 },
  { scenario: 'uplink-qos1', sensors: 1, figure: 'lost', atMost: 0 },
  { scenario: 'uplink-qos1', sensors: 500, figure: 'lost', atMost: 0 },
  { scenario: 'uplink-qos1', sensors: 5000, figure: 'lost', atMost: 0 },
  { scenario: 'uplink-qos2', variant: 'lmdb', sensors: 500, figure: 'lost', atMost: 0 },
  {
    scenario: 'uplink-qos2',
    variant: 'postgres',
    sensors: 500,
    figure: 'cpu',
    atMostMore: 25,
    of: { scenario: 'uplink-qos2', variant: 'lmdb', sensors: 500 },
  },
  { scenario: 'uplink-qos2', variant: 'postgres', sensors: 500, figure: 'lost', atMost: 0 },
  { scenario: 'sleepers', sensors: 500, figure: 'missing', atMost: 0 },
  { scenario: 'mixed', sensors: 300, figure: 'missing', atMost: 0 },
  { scenario: 'burst', sensors: 500, figure: 'arrived', atLeast: 100 },
  { scenario: 'idle', sensors: 10_000, figure: 'busy', atMost: 2 },
  { scenario: 'dtls-handshakes', variant: 'key', sensors: 1000, figure: 'cpu', atMost: 300 },
  { scenario: 'dtls-handshakes', variant: 'certificates', sensors: 1000, figure: 'cpu', atMost: 1600 },
  { scenario: 'dtls-memory', sensors: 10_000, figure: 'memory', atMost: 12 },
  {
    scenario: 'pty',
    variant: 'pty',
    sensors: 50,
    figure: 'cpu',
    atMostTimes: 1.3,
    of: { scenario: 'pty', variant: 'udp', sensors: 50 },
  },
  { scenario: 'dtls-flood', variant: 'flood', sensors: 100, figure: 'arrived', atLeast: 99 },
]
