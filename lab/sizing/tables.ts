// The tables of docs/sizing.md, and of the terminal: sites and takeovers that many will recognize.

import type { Costs } from './costs.ts'
import { type Need, needOf, portsOf, type Site, USUAL } from './model.ts'
import { playTakeover, type Takeover, USUAL_TAKEOVER, type Waits } from './takeover.ts'

const never = Number.POSITIVE_INFINITY
const MILLION = { sensors: 1_000_000, localAddresses: 4 }

/** What each is called, and how it differs from the usual one. */
const SITES: readonly (readonly [string, Partial<Site>])[] = [
  ['10,000 sensors, QoS 1', { sensors: 10_000 }],
  ['100,000, QoS 1', {}],
  ['the same, four local addresses', { localAddresses: 4 }],
  ['the same, shared connections', { shared: 20 }],
  ['100,000, QoS 2, four local addresses', { localAddresses: 4, mix: { '2': 1 } }],
  ['1,000,000, QoS 0', { ...MILLION, mix: { '0': 1 } }],
  ['1,000,000, QoS 1', MILLION],
  ['the same, one local address', { ...MILLION, localAddresses: 1 }],
  ['the same, keep-alive 60 s', { ...MILLION, keepAlive: 60 }],
  ['the same, and `heardEvery` 6 s', { ...MILLION, keepAlive: 60, heardEvery: 6 }],
  ['1,000,000, QoS 1, `ack: "store"`', { ...MILLION, mix: { '1s': 1 } }],
  ['1,000,000, QoS 2', { ...MILLION, mix: { '2': 1 } }],
  ['1,000,000, 90 % QoS 0, 9 % QoS 1, 1 % QoS 2', { ...MILLION, mix: { '0': 0.9, '1': 0.09, '2': 0.01 } }],
  [
    '1,000,000 sleepers, awake every 10 min for a message',
    { ...MILLION, interval: never, wake: 600, downlink: 600 },
  ],
]

const TAKEOVERS: readonly (readonly [string, Partial<Takeover>])[] = [
  ['100,000 on 5, a process dies, balancer 3 s', {}],
  ['1,000,000 on 10, a process dies, balancer 3 s', { sensors: 1_000_000, nodes: 10 }],
  [
    'the same, a machine dies, lease 5 s, balancer 10 s',
    { sensors: 1_000_000, nodes: 10, detect: 5, balancer: 10 },
  ],
  ['the same, lease 10 s, balancer 30 s', { sensors: 1_000_000, nodes: 10, detect: 10, balancer: 30 }],
  [
    '1,000,000 on 3, a machine dies, balancer 10 s',
    { sensors: 1_000_000, nodes: 3, detect: 5, balancer: 10 },
  ],
  [
    '1,000,000 on 10, a machine dies, balancer 10 s, the broker takes 500 connections/s of a node',
    { sensors: 1_000_000, nodes: 10, detect: 5, balancer: 10, connects: 500 },
  ],
  ['the same, it takes 100', { sensors: 1_000_000, nodes: 10, detect: 5, balancer: 10, connects: 100 }],
]

const whole = (value: number): string => Math.round(value).toLocaleString('en-US')
const few = (value: number): string =>
  value < 0.005
    ? '0'
    : value >= 100
      ? whole(value)
      : value.toFixed(value >= 10 || value === 0 ? 0 : value >= 0.1 ? 1 : 2)

export const NEED_HEAD: readonly string[] = [
  'site', 'messages/s', 'datagrams/s', 'cores, all nodes', 'of these hops', 'nodes', 'set by', 'one node is enough', 'rows/s', 'engine cores, both servers',
  'primaries', 'WAL MB/s', 'disk GB', 'memory GiB, all nodes',
] // biome-ignore format: a list

/** One row under `NEED_HEAD`. */
export const needRow = (name: string, need: Need): string[] => [
  name,
  whole(need.messages),
  whole(need.datagrams),
  few(need.cores),
  few(need.hops),
  whole(need.nodes),
  need.by,
  need.fitsOne ? 'yes' : 'no',
  whole(need.rows),
  few(need.engineCores),
  whole(need.engines),
  few(need.wal),
  few(need.disk),
  few(need.memory),
]

/** Head and rows: what each of the sites needs. */
export const needTable = (costs: Costs): string[][] => [
  [...NEED_HEAD],
  ...SITES.map(([name, changes]) => needRow(name, needOf({ ...USUAL, ...changes }, costs))),
]

export const WAITS_HEAD: readonly string[] = [
  'takeover', 'concerned', 'p50 s', 'p99 s', 'max s', 'longest wait of one message s', 'gave up',
] // biome-ignore format: a list

/** One row under `WAITS_HEAD`. */
export const waitsRow = (name: string, waits: Waits): string[] => [
  name,
  whole(waits.concerned),
  waits.p50.toFixed(1),
  waits.p99.toFixed(1),
  waits.max.toFixed(1),
  waits.longest.toFixed(1),
  whole(waits.gaveUp),
]

/** Head and rows: how long sensors wait in each of the takeovers. */
export const waitsTable = ({ loadRows }: Pick<Costs, 'loadRows'>): string[][] => [
  [...WAITS_HEAD],
  ...TAKEOVERS.map(([name, changes]) =>
    waitsRow(name, playTakeover({ ...USUAL_TAKEOVER, loadRows, ...changes })),
  ),
]

/** How many sensors a node can connect with so many addresses of its own. */
export const portsTable = (costs: Costs): string[][] => [
  ['`broker.localAddresses`', 'addresses of the broker', 'sensors with connections of their own'],
  ...(
    [
      [0, 1],
      [0, 4],
      [1, 4],
      [4, 1],
      [16, 1],
    ] as const
  ).map(([localAddresses, brokerAddresses]) => [
    localAddresses === 0 ? 'none' : String(localAddresses),
    String(brokerAddresses),
    whole(portsOf({ ...USUAL, localAddresses, brokerAddresses }, costs)),
  ]),
]
