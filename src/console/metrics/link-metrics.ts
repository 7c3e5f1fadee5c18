// Metrics of lines: serial devices and connections to device servers.

import type { LinkInfo, ListenerInfo } from '../contract/gateway.ts'
import type { Add, Values } from './listener-metrics.ts'

/** Registers them; `listeners` gives what a scrape sees. */
export function registerLinkMetrics(
  { counter, gauge }: { readonly counter: Add; readonly gauge: Add },
  listeners: () => readonly ListenerInfo[],
): void {
  const one = (read: (link: LinkInfo) => number) => (): Values =>
    listeners().flatMap(({ name, link }) =>
      link === undefined ? [] : [[{ listener: name }, read(link)] as const],
    )
  const by = (label: string, read: (link: LinkInfo) => Readonly<Record<string, number>>) => (): Values =>
    listeners().flatMap(({ name, link }) =>
      Object.entries(link === undefined ? {} : read(link)).map(
        ([key, value]) => [{ listener: name, [label]: key }, value] as const,
      ),
    )
  gauge(
    'mqttsn_link_up',
    '1 while a line is open: a serial device, or a connection to a device server.',
    ['listener'],
    one(({ up }) => (up ? 1 : 0)),
  )
  counter(
    'mqttsn_link_bytes_total',
    'Octets on a line, framing included.',
    ['listener', 'direction'],
    by('direction', ({ octets }) => octets),
  )
  counter(
    'mqttsn_link_frames_total',
    'Messages on a line.',
    ['listener', 'direction'],
    by('direction', ({ frames }) => frames),
  )
  counter(
    'mqttsn_link_errors_total',
    'Octets on a line that were no message (noise, checksum, oversized, unknown-frame), messages to all that were no discovery (broadcast), and messages that could not go out (undelivered, unconfirmed, full, away, stuck, oversized).',
    ['listener', 'reason'],
    by('reason', ({ errors }) => errors),
  )
  gauge(
    'mqttsn_link_queued_messages',
    'Messages that wait for a line.',
    ['listener'],
    one(({ queue }) => queue),
  )
  gauge(
    'mqttsn_link_unconfirmed_frames',
    'Frames that wait for the confirmation of a radio module.',
    ['listener'],
    one(({ unconfirmed }) => unconfirmed),
  )
  gauge(
    'mqttsn_link_unreachable_peers',
    'Radio nodes that could not be reached several times in a row.',
    ['listener'],
    one(({ unreachable }) => unreachable.count),
  )
  const ofServers = (read: (of: NonNullable<LinkInfo['connections']>) => number) => (): Values =>
    listeners().flatMap(({ name, link }) =>
      link?.connections === undefined ? [] : [[{ listener: name }, read(link.connections)] as const],
    )
  gauge(
    'mqttsn_link_connections',
    'Modems and bridges that have called a listener at tcp-listen://.',
    ['listener'],
    ofServers(({ open }) => open),
  )
  counter(
    'mqttsn_link_connections_refused_total',
    'Connections to a listener at tcp-listen:// that were turned away: too many, or not in "allow".',
    ['listener'],
    ofServers(({ refused }) => refused),
  )
  gauge(
    'mqttsn_link_rssi_dbm',
    'Strength of the last message, where the radio module tells it.',
    ['listener'],
    () =>
      listeners().flatMap(({ name, link }) =>
        link?.signal?.rssi === undefined ? [] : [[{ listener: name }, link.signal.rssi] as const],
      ),
  )
}
