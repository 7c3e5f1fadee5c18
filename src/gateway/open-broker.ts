// The broker that the configuration names: somewhere on the network, or the embedded one.

import { clusterOf, isShared, nodeSuffix } from '../config/cluster/section.ts'
import type { BrokerConfig, Config } from '../config/schema.ts'
import { expandTemplate } from '../config/sections/template.ts'
import type { Log } from '../log.ts'
import { installationOf } from '../store/beside/installation.ts'
import type { Store } from '../store/store.ts'
import { startEmbeddedBroker } from '../upstream/embedded.ts'
import { createUpstream } from '../upstream/mqtt/mqtt.ts'
import type { Upstream, UpstreamOptions } from '../upstream/upstream.ts'
import { countDiscard, type DiscardBooks } from './counters.ts'
import { isDurable } from './open-store.ts'
import { namesOf, poolsOf } from './rules/pools.ts'
import { sharedRecordsIn } from './shared-records.ts'
import { offlineMessage, statusTopicOf } from './status-topics/topics.ts'
import type { Tenure } from './tenure.ts'
import type { WorkerShare } from './worker-share.ts'

/** ClientIds at the broker that no sensor may have. */
export type OwnNames = Pick<ReadonlySet<string>, 'has'>

/** All connections to the broker, and the embedded broker if there is one. */
export interface OpenedBroker {
  /** that of the broker in use */
  readonly url: string
  readonly upstream: Upstream
  /** the gateway's own ClientIds at the broker, those of its other workers and of all nodes among them */
  readonly ownNames: OwnNames
  /** Other options for connections that are opened from now on; see `Upstream.renew`. */
  renew(broker: BrokerConfig): void
  close(): Promise<void>
}

/** The ClientId of a worker's own connection: every worker has one of its own for messages of QoS -1. */
export const workerName = (name: string, index: number): string =>
  index === 0 ? name : `${name}-${index + 1}`

/** Those of all workers. */
function workerNames(name: string, share: WorkerShare | undefined): string[] {
  if (share === undefined) return [name]
  const { index, count } = share.stored
  const first = index === 0 ? name : name.slice(0, -`-${index + 1}`.length)
  return Array.from({ length: count }, (_, worker) => workerName(first, worker))
}

/** A gateway has these besides: for QoS -1 messages, and for a look at an earlier broker of the list. */
const withOthers = (name: string): string[] => [name, `${name}-q`, `${name}-t`, `${name}-p`]

/** How long a stopping gateway waits for broker connections to end, milliseconds. */
const STOP_DEADLINE = 2000

/** Octets that an MQTT PUBLISH may need beyond the payload: a topic of the longest kind that sensors meet, and properties. */
const TOPIC = 4096

/** Octets of the longest MQTT packet that a sensor may be sent the message of. */
const longestNeeded = ({ listeners }: Config): number =>
  TOPIC + Math.max(...listeners.map(({ maxMessageSize }) => maxMessageSize))

const given = <T>(value: T | 'auto'): T | undefined => (value === 'auto' ? undefined : value)

/** Starts the embedded broker if it is wanted; connections are made later, when sensors need them. */
export async function openBroker(
  config: Config,
  log: Log,
  books: DiscardBooks,
  store: Store,
  share?: WorkerShare,
  tenure?: Pick<Tenure, 'holds' | 'suspect'>,
): Promise<OpenedBroker> {
  const embedded = config.broker.url === 'embedded' ? await startEmbeddedBroker() : undefined
  const url = embedded?.url ?? config.broker.url
  // who speaks for several nodes changes, and the will of one that did would say that all are gone
  const topic = share?.speaks === false || isShared(config) ? undefined : statusTopicOf(config)
  const folder = config.store.type === 'lmdb' ? config.store.path : undefined
  const installation = store.installation ?? installationOf(folder)
  // a worker is told its own
  const suffix = share === undefined ? nodeSuffix(config) : ''
  const ownName = ({ clientId }: BrokerConfig): string => expandTemplate(clientId, { installation }) + suffix
  const poolsFor = (broker: BrokerConfig, name: string) => poolsOf(config, broker, name)
  const sharedNamesFor = (broker: BrokerConfig): string[] =>
    workerNames(ownName(broker), share).flatMap((name) => namesOf(poolsFor(broker, name)))
  const allNames = (broker: BrokerConfig): OwnNames => {
    const workers = workerNames(ownName(broker), share)
    const own = new Set([...workers.flatMap(withOthers), ...sharedNamesFor(broker)])
    // nodes come and go, each with workers of its own: what begins like the name of one may be the name of another
    const prefix = isShared(config) ? workers[0]?.slice(0, -clusterOf(config).node.length) : undefined
    return prefix === undefined ? own : { has: (name) => own.has(name) || name.startsWith(prefix) }
  }
  let ownNames = allNames(config.broker)
  const records = sharedRecordsIn(store, isDurable(config))
  const ownWill =
    topic === undefined ? undefined : ({ topic, message: offlineMessage(), qos: 0, retain: true } as const)
  // The embedded broker speaks no other version.
  const version = embedded === undefined ? undefined : ({ version: '3.1.1' } as const)
  const optionsOf = (broker: BrokerConfig): UpstreamOptions => ({
    ...upstreamOptions(config, broker, { url, log }),
    ...version,
    own: { clientId: ownName(broker), username: broker.username, password: broker.password },
    ownWill,
    pools: poolsFor(broker, ownName(broker)),
    records,
    sharedNames: share === undefined || share.stored.index === 0 ? sharedNamesFor(broker) : undefined,
    mayConnect: tenure && (() => tenure.holds()),
    // of those that share the sensors each has a name of its own there, which nobody takes
    onOwnEnded: tenure && !isShared(config) ? () => tenure.suspect() : undefined,
    onDropped: (reason, source) => countDiscard(books, reason, source ? { address: source } : undefined),
  })
  const upstream = createUpstream(optionsOf(config.broker))
  return {
    get url() {
      return upstream.url
    },
    upstream,
    get ownNames() {
      return ownNames
    },
    renew(broker) {
      upstream.renew(optionsOf(broker))
      ownNames = allNames(broker)
    },
    async close() {
      await upstream.close(STOP_DEADLINE)
      await embedded?.close()
    },
  }
}

/** What the configuration says of connections to the broker at `url`. */
export const upstreamOptions = (
  config: Config,
  broker: BrokerConfig,
  parts: Pick<UpstreamOptions, 'url' | 'log'>,
): UpstreamOptions => ({
  ...parts,
  version: broker.version,
  tls: broker.tls ?? { verify: true },
  localAddresses: broker.localAddresses,
  keepAlive: broker.keepAlive,
  connectTimeout: broker.connectTimeout,
  sessionExpirySeconds: Math.min(Math.round(broker.sessionExpiry / 1000), 0xffffffff),
  absenceSeconds: isDurable(config) ? Math.round(broker.absence / 1000) : 0,
  receiveMaximum: broker.receiveMaximum,
  maximumIncomingPacket: Math.max(broker.maximumIncomingPacket, longestNeeded(config)),
  abilities: {
    maximumQos: given(broker.maximumQos),
    retain: given(broker.retain),
    wildcards: given(broker.wildcards),
    maximumPacketSize: given(broker.maximumPacketSize),
  },
  unsupported: broker.unsupported,
  own: { clientId: broker.clientId, username: broker.username, password: broker.password },
  writeBuffer: broker.writeBuffer,
  totalWriteBuffer: broker.totalWriteBuffer,
  connectsPerSecond: broker.connectsPerSecond,
  connecting: broker.connecting,
  reconnect: broker.reconnect,
  returnAfter: broker.returnAfter,
})
