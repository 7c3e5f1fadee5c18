// Metrics of connections to the broker that sensors share.

import type { SharedConnectionInfo } from '../contract/gateway.ts'
import type { Add, Values } from './listener-metrics.ts'

/** Registers them; `connections` gives what a scrape sees. */
export function registerSharedConnectionMetrics(
  { counter, gauge }: { readonly counter: Add; readonly gauge: Add },
  connections: () => readonly SharedConnectionInfo[],
): void {
  const each = (read: (one: SharedConnectionInfo) => number) => (): Values =>
    connections().map((one) => [{ connection: one.clientId }, read(one)] as const)
  const labels = ['connection']
  const up = '1 while a connection that sensors share is up, by its ClientId at the broker.'
  gauge(
    'mqttsn_shared_connection_up',
    up,
    labels,
    each(({ connected }) => (connected ? 1 : 0)),
  )
  gauge(
    'mqttsn_shared_connection_sensors',
    'Sensors that use it.',
    labels,
    each(({ sensors }) => sensors),
  )
  const filters = 'Filters that these have subscribed.'
  gauge(
    'mqttsn_shared_connection_filters',
    filters,
    labels,
    each((one) => one.filters),
  )
  const waiting = 'Requests of sensors that wait for their turn on it.'
  gauge(
    'mqttsn_shared_connection_waiting',
    waiting,
    labels,
    each((one) => one.waiting),
  )
  const underWay = 'Requests on it that the broker has not answered.'
  gauge(
    'mqttsn_shared_connection_under_way',
    underWay,
    labels,
    each((one) => one.underWay),
  )
  const handingOut = 'Messages of the broker on it that not all their sensors have taken.'
  gauge(
    'mqttsn_shared_connection_handing_out',
    handingOut,
    labels,
    each((one) => one.handingOut),
  )
  const breaks = 'How often it broke.'
  counter(
    'mqttsn_shared_connection_breaks_total',
    breaks,
    labels,
    each((one) => one.breaks),
  )
  const refused = 'Requests of sensors for which there was no room in line.'
  counter(
    'mqttsn_shared_connection_refused_total',
    refused,
    labels,
    each((one) => one.refused),
  )
}
