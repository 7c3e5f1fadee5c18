// The broker that the configuration names: somewhere on the network, or the embedded one.

import type { BrokerConfig, Config } from '../config/schema.ts'
import type { Log } from '../log.ts'
import { startEmbeddedBroker } from '../upstream/embedded.ts'
import { createUpstream } from '../upstream/mqtt/mqtt.ts'
import type { Upstream, UpstreamOptions } from '../upstream/upstream.ts'
import { type Counters, incrementCounter } from './counters.ts'
import { isDurable } from './open-store.ts'
import { offlineMessage, statusTopicOf } from './status-topics.ts'
import type { WorkerShare } from './worker-share.ts'

/** All connections to the broker, and the embedded broker if there is one. */
export interface OpenedBroker {
  /** that of the broker in use */
  readonly url: string
  readonly upstream: Upstream
  /** Other options for connections that are opened from now on; see `Upstream.renew`. */
  renew(broker: BrokerConfig): void
  close(): Promise<void>
}

/** How long a stopping gateway waits for broker connections to end, milliseconds. */
const STOP_DEADLINE = 2000

/** Starts the embedded broker if it is wanted; connections are made later, when sensors need them. */
export async function openBroker(
  config: Config,
  log: Log,
  counters: Pick<Counters, 'dropped'>,
  share?: WorkerShare,
): Promise<OpenedBroker> {
  const embedded = config.broker.url === 'embedded' ? await startEmbeddedBroker() : undefined
  const url = embedded?.url ?? config.broker.url
  const topic = share?.speaks === false ? undefined : statusTopicOf(config)
  const optionsOf = (broker: BrokerConfig): UpstreamOptions => ({
    url,
    version: embedded === undefined ? broker.version : '3.1.1', // the embedded broker speaks no other version
    tls: broker.tls ?? { verify: true },
    keepAlive: broker.keepAlive,
    connectTimeout: broker.connectTimeout,
    sessionExpirySeconds: Math.min(Math.round(broker.sessionExpiry / 1000), 0xffffffff),
    absenceSeconds: isDurable(config) ? Math.round(broker.absence / 1000) : 0,
    receiveMaximum: broker.receiveMaximum,
    writeBuffer: broker.writeBuffer,
    totalWriteBuffer: broker.totalWriteBuffer,
    connectsPerSecond: broker.connectsPerSecond,
    connecting: broker.connecting,
    ownWill: topic === undefined ? undefined : { topic, message: offlineMessage(), qos: 0, retain: true },
    own: { clientId: broker.clientId, username: broker.username, password: broker.password },
    reconnect: broker.reconnect,
    returnAfter: broker.returnAfter,
    onDropped: (reason) => incrementCounter(counters.dropped, reason),
    log,
  })
  const upstream = createUpstream(optionsOf(config.broker))
  return {
    get url() {
      return upstream.url
    },
    upstream,
    renew: (broker) => upstream.renew(optionsOf(broker)),
    async close() {
      await upstream.close(STOP_DEADLINE)
      await embedded?.close()
    },
  }
}
