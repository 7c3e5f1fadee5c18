// Metrics for Prometheus: a registry of its own, filled from the gateway's plain integers when somebody asks for it.
// Nothing is counted here, so a gateway that nobody scrapes pays nothing. No label ever names a sensor.

import { Registry } from 'prom-client'
import type {
  BrokerInfo,
  EngineInfo,
  GatewayInfo,
  HistogramInfo,
  ListenerInfo,
  StoreInfo,
} from '../contract/gateway.ts'
import type { GatewayView } from '../view.ts'
import { addClusterMetrics } from './cluster-metrics.ts'
import { registerLinkMetrics } from './link-metrics.ts'
import { addListenerMetrics, by, type Values } from './listener-metrics.ts'
import { adders, processMetrics } from './registering.ts'
import { addSecureMetrics } from './secure-metrics.ts'
import { registerSharedConnectionMetrics } from './shared-connection-metrics.ts'

/** What the numbers are taken from. */
export type MetricsSource = Pick<
  GatewayView,
  'info' | 'broker' | 'store' | 'cluster' | 'listeners' | 'latency'
>

/** The metrics of one gateway. */
export interface Metrics {
  /** all of them, in the text format 0.0.4 */
  text(): Promise<string>
  /** those of the gateway, for its documentation */
  readonly registry: Registry
}

const one = (value: number): Values => [[{}, value]]

/** Of a database server, where there is one; what is not known has no value. */
function ofEngine({ engine }: StoreInfo, read: (engine: EngineInfo) => boolean | undefined): Values {
  const value = engine && read(engine)
  return engine === undefined || value === undefined ? [] : [[{ host: engine.host }, value ? 1 : 0]]
}

/** Makes the metrics of what `view` shows. */
export function createMetrics(view: MetricsSource): Metrics {
  const registry = new Registry()
  const { counter, gauge, histogram } = adders(registry)
  // One look per scrape: cheaper with many sensors, and the numbers fit together.
  let now: Look
  const counters = () => now.info.counters
  const bothWays = (received: number, sent: number) => by('direction', { received, sent })

  gauge('mqttsn_build_info', 'Always 1; its labels tell what runs.', ['version', 'gateway_id'], () => {
    const { version, gwId } = now.info
    return [[{ version, gateway_id: String(gwId) }, 1]]
  })
  counter('mqttsn_datagrams_total', 'Datagrams from and to sensors.', ['direction'], () =>
    bothWays(counters().receivedDatagrams, counters().sentDatagrams),
  )
  counter('mqttsn_datagram_bytes_total', 'Octets of these datagrams.', ['direction'], () =>
    bothWays(counters().receivedOctets, counters().sentOctets),
  )
  counter('mqttsn_messages_total', 'MQTT-SN messages by type.', ['direction', 'type'], () => {
    const { received, sent } = counters()
    return Object.entries({ received, sent }).flatMap(([direction, table]) =>
      [...by('type', table)].map(([type, value]) => [{ direction, ...type }, value] as const),
    )
  })
  counter('mqttsn_drops_total', 'Datagrams and messages that were discarded, by reason.', ['reason'], () =>
    by('reason', counters().dropped),
  )
  const refusals = 'Sensors and other senders that were refused, by reason.'
  counter('mqttsn_refusals_total', refusals, ['reason'], () => by('reason', counters().refusals))
  counter('mqttsn_faults_total', 'Exceptions caught: each one is a bug of the gateway.', [], () =>
    one(counters().faults),
  )
  counter('mqttsn_publishes_total', 'Application messages from sensors to the broker.', [], () =>
    one(counters().published),
  )
  counter('mqttsn_deliveries_total', 'Application messages from the broker for sensors.', [], () =>
    one(counters().delivered),
  )
  counter('mqttsn_retransmissions_total', 'Messages sent again because a sensor did not answer.', [], () =>
    one(counters().retransmissions),
  )
  const sensors =
    'Sensors by state, as the console lists them: with a session, or departed and still remembered.'
  gauge('mqttsn_sensors', sensors, ['state'], () => by('state', now.info.sensors))
  const losses =
    'Sensors that fell silent, by their session: that of a clean one is forgotten, so that no gauge shows the loss for long.'
  counter('mqttsn_sensors_lost_total', losses, ['session'], () =>
    by('session', { clean: 0, kept: 0, ...counters().losses }),
  )
  gauge('mqttsn_queued_messages', 'Messages that wait for sensors.', [], () => one(now.info.queuedMessages))
  const full = '1 if a limit on what waits for all sensors together was reached within the last minute.'
  gauge('mqttsn_queues_full', full, [], () => one(now.info.queuesFull ? 1 : 0))
  gauge('mqttsn_queued_bytes', 'Octets of these messages.', [], () => one(now.info.queuedOctets))

  const spooled = 'Messages of sensors that the gateway has acknowledged and the broker has not.'
  gauge('mqttsn_spooled_messages', spooled, [], () => one(now.info.spooledMessages))
  gauge('mqttsn_spooled_bytes', 'Octets of these messages.', [], () => one(now.info.spooledOctets))
  const dead =
    'Acknowledged messages of sensors that the broker will not have: a person has to decide about them.'
  gauge('mqttsn_dead_letters', dead, [], () => one(now.info.deadLetters))
  gauge('mqttsn_dead_letter_bytes', 'Octets of these messages.', [], () => one(now.info.deadLetterOctets))

  gauge('mqttsn_store_up', '1 while the store can write.', [], () =>
    one(now.store.error === undefined ? 1 : 0),
  )
  counter('mqttsn_store_writes_total', 'Groups of changes written to the store.', [], () =>
    one(now.store.groups),
  )
  counter('mqttsn_store_write_seconds_total', 'Time these took.', [], () => one(now.store.seconds))
  const failures = 'Writes to the store that failed while something waited for them.'
  counter('mqttsn_store_failures_total', failures, [], () => one(now.store.failures))
  gauge('mqttsn_store_bytes', 'Size of the store on disk.', [], () => one(now.store.octets))
  const held = 'Answers to sensors and to the broker that wait for a write.'
  gauge('mqttsn_store_held', held, [], () => one(now.store.held))
  const engineUp = 'PostgreSQL: 1 while there is a connection to the database server, on which it answers.'
  gauge('mqttsn_engine_up', engineUp, ['host'], () => ofEngine(now.store, ({ up }) => up))
  const replicated = 'PostgreSQL: 1 if what the server acknowledges outlives the loss of its machine.'
  gauge('mqttsn_engine_replicated', replicated, ['host'], () =>
    ofEngine(now.store, (engine) => engine.replicated),
  )

  gauge('mqttsn_broker_up', "1 while the gateway's own connection to the broker is up.", [], () =>
    one(now.broker.healthy ? 1 : 0),
  )
  const inUse = 'Always 1; its label tells which broker is used, of several in `broker.url`.'
  gauge('mqttsn_broker_info', inUse, ['url'], () => [[{ url: now.broker.url }, 1]])
  const states = 'Connections of sensors to the broker: up, being made, waiting for their turn.'
  gauge('mqttsn_upstream_connections', states, ['state'], () => {
    const { connected, connecting, waiting } = now.broker
    return by('state', { connected, connecting, waiting })
  })
  counter(
    'mqttsn_upstream_refused_total',
    'Attempts to connect a sensor to the broker that failed.',
    [],
    () => one(now.broker.refused),
  )
  counter('mqttsn_upstream_lost_total', 'Connections of sensors to the broker that broke.', [], () =>
    one(now.broker.lost),
  )
  const portless = 'Attempts to connect to the broker that found no local port, see `broker.localAddresses`.'
  counter('mqttsn_upstream_portless_total', portless, [], () => one(now.broker.portless))
  const latency = 'From a QoS 1 or 2 publish to the broker to its acknowledgement.'
  histogram('mqttsn_publish_acknowledgement_seconds', latency, [], () => [[{}, now.latency]])

  addClusterMetrics({ counter, gauge, histogram }, () => view.cluster?.())
  addListenerMetrics({ counter, gauge }, () => now.listeners)
  addSecureMetrics({ counter, gauge, histogram }, () => now.listeners)
  registerLinkMetrics({ counter, gauge }, () => now.listeners)
  registerSharedConnectionMetrics({ counter, gauge }, () => now.broker.shared)

  return {
    registry,
    async text() {
      now = await look(view)
      return Registry.merge([registry, processMetrics()]).metrics()
    },
  }
}

/** What one scrape tells. */
interface Look {
  readonly info: GatewayInfo
  readonly broker: BrokerInfo
  readonly store: StoreInfo
  readonly listeners: readonly ListenerInfo[]
  readonly latency: HistogramInfo
}

async function look(view: MetricsSource): Promise<Look> {
  const [info, broker, store, latency] = await Promise.all([
    view.info(),
    view.broker(),
    view.store(),
    view.latency(),
  ])
  return { info, broker, store, latency, listeners: view.listeners() }
}
