// How many nodes a site needs, and what sets their number: a model. Costs go in, nothing is measured here.

import type { Costs } from './costs.ts'

/** Shares of messages to the broker by their kind; together 1. `1s` is QoS 1 with `ack: "store"`. */
export type Kind = '0' | '1' | '1s' | '2'
export type Mix = Readonly<Partial<Record<Kind, number>>>

/** What sensors do, and what there is to serve them. Times in seconds. */
export interface Site {
  readonly sensors: number
  /** between two messages of a sensor to the broker; Infinity: none */
  readonly interval: number
  readonly mix: Mix
  readonly keepAlive: number
  /** between two wakings of a sensor that sleeps; Infinity: none sleeps */
  readonly wake: number
  /** between two messages to a sensor; Infinity: none */
  readonly downlink: number
  readonly downlinkQos: 0 | 1
  /** `store.heardEvery` */
  readonly heardEvery: number | 'auto'
  /** of a node, and how much of them may be in use while all nodes are there */
  readonly cores: number
  readonly busy: number
  /** nodes that may be missing */
  readonly spare: number
  /** of one node; 0: the system chooses, one for each address of the broker */
  readonly localAddresses: number
  readonly brokerAddresses: number
  /** connections of a node that all its sensors share; 0: each has its own */
  readonly shared: number
}

/** A site with usual values. */
export const USUAL: Site = {
  sensors: 100_000,
  interval: 10,
  mix: { '1': 1 },
  keepAlive: 300,
  wake: Number.POSITIVE_INFINITY,
  downlink: Number.POSITIVE_INFINITY,
  downlinkQos: 1,
  heardEvery: 'auto',
  cores: 8,
  busy: 0.5,
  spare: 1,
  localAddresses: 0,
  brokerAddresses: 1,
  shared: 0,
}

/** What sets the number of nodes. */
export type Reason = 'ports' | 'cores' | 'first thread' | 'least'

/** What a site needs. */
export interface Need {
  readonly messages: number
  /** both directions */
  readonly datagrams: number
  /** of all nodes together; `hops`: of these for datagrams that came in at another node */
  readonly cores: number
  readonly hops: number
  readonly nodes: number
  readonly by: Reason
  /** whether one node carries everything, so that a pair is enough */
  readonly fitsOne: boolean
  readonly rows: number
  readonly engineCores: number
  /** primaries that share the rows */
  readonly engines: number
  /** megaoctets per second */
  readonly wal: number
  /** gigaoctets */
  readonly disk: number
  /** GiB, all nodes together */
  readonly memory: number
}

/** Rows that one message writes, beside those that say that its sensor was heard. */
interface Writes {
  readonly inserts: number
  readonly updates: number
  readonly deletes: number
}
const NOTHING: Writes = { inserts: 0, updates: 0, deletes: 0 }
const KEPT: Writes = { inserts: 1, updates: 0, deletes: 1 }

const UPLINK: Readonly<Record<Kind, { cost: 'qos0' | 'qos1' | 'qos2'; datagrams: number; writes: Writes }>> =
  {
    '0': { cost: 'qos0', datagrams: 1, writes: NOTHING },
    '1': { cost: 'qos1', datagrams: 2, writes: NOTHING },
    '1s': { cost: 'qos1', datagrams: 2, writes: KEPT },
    '2': { cost: 'qos2', datagrams: 4, writes: { inserts: 1, updates: 1, deletes: 1 } },
  }

/** Most nodes that are looked at. */
const MOST_NODES = 100_000

/** What happens in a second, and what of it is written. */
interface Load {
  messages: number
  datagrams: number
  /** µs of processor time, without threads and hops */
  work: number
  inserts: number
  updates: number
  deletes: number
}

function loadOf(site: Site, costs: Costs): Load {
  const load: Load = { messages: 0, datagrams: 0, work: 0, inserts: 0, updates: 0, deletes: 0 }
  const add = (times: number, work: number, datagrams: number, writes: Writes): void => {
    load.datagrams += times * datagrams
    load.work += times * work
    load.inserts += times * writes.inserts
    load.updates += times * writes.updates
    load.deletes += times * writes.deletes
  }
  const { sensors, interval, wake, downlink, downlinkQos, mix, keepAlive } = site
  const [up, down] = [sensors / interval, sensors / downlink]
  for (const [kind, { cost, datagrams, writes }] of Object.entries(UPLINK))
    add(up * (mix[kind as Kind] ?? 0), costs[cost], datagrams, writes)
  if (downlinkQos === 0) add(down, costs.down0, 1, NOTHING)
  else add(down, costs.down1, 2, KEPT)
  // one that is awake and has nothing to say still shows that it is there
  const isSilent = wake === Number.POSITIVE_INFINITY && interval > keepAlive
  const pings = sensors / wake + (isSilent ? sensors / keepAlive : 0)
  add(pings, costs.ping, 2, NOTHING)
  load.messages = up + down
  const promised = wake === Number.POSITIVE_INFINITY ? keepAlive : wake
  const every = site.heardEvery === 'auto' ? Math.max(60, promised) : site.heardEvery
  load.updates += Math.min(sensors / every, up + pings)
  return load
}

/** What the site needs at these costs. */
export function needOf(site: Site, costs: Costs): Need {
  const load = loadOf(site, costs)
  const rows = load.inserts + load.updates + load.deletes
  const threads = site.cores > 1 ? load.datagrams * costs.workers : 0
  const alone = (load.work + threads + rows * costs.rowClient) / 1e6
  const hopsAt = (nodes: number): number => (load.datagrams * costs.hop * (nodes - 1)) / nodes / 1e6
  // links between nodes are the work of first threads, at both ends
  const firstAt = (nodes: number): number => (load.datagrams * costs.first) / 1e6 + hopsAt(nodes)
  /** nodes that are needed where there are so many */
  const needAt = (nodes: number): [number, Reason][] => [
    [site.shared > 0 ? 0 : site.sensors / portsOf(site, costs), 'ports'],
    [(alone + hopsAt(nodes)) / (site.cores * site.busy), 'cores'],
    [site.cores > 1 ? firstAt(nodes) / site.busy : 0, 'first thread'],
    [1, 'least'],
  ]
  let nodes = 1 + site.spare
  while (nodes < MOST_NODES && needAt(nodes).some(([need]) => need > nodes - site.spare)) nodes += 1
  const [, by] = needAt(nodes).reduce((most, one) => (one[0] > most[0] ? one : most))
  return {
    messages: load.messages,
    datagrams: load.datagrams,
    cores: alone + hopsAt(nodes),
    hops: hopsAt(nodes),
    nodes,
    by,
    fitsOne: needAt(1).every(([need]) => need <= 1),
    rows,
    engineCores: (rows * costs.rowServer) / 1e6,
    engines: Math.max(1, Math.ceil(rows / costs.engineRows)),
    wal:
      (load.inserts * costs.walInsert + load.updates * costs.walUpdate + load.deletes * costs.walDelete) /
      1e6,
    disk: (site.sensors * (costs.session + 2 * costs.row)) / 1e9,
    memory: (site.sensors * (site.shared > 0 ? costs.memoryShared : costs.memory + costs.kernel)) / 1024 ** 2,
  }
}

/**
 * Connections that one node can have. Where the system chooses the local address, each address of the broker has all ports of its
 * own; a socket that is bound to a local address has its port for itself, whatever it connects to.
 */
export const portsOf = ({ localAddresses, brokerAddresses }: Site, { ports }: Costs): number =>
  ports * (localAddresses > 0 ? localAddresses : brokerAddresses)
