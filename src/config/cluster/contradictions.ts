// What several gateways need that share their sensors.

import { SHORTEST_SHARED_ID } from '../../dtls/slots.ts'
import { withoutKey } from '../../transport/line/url.ts'
import type { Contradiction } from '../contradictions/contradiction.ts'
import type { Config } from '../schema.ts'
import { isLoopback } from '../sections/networks.ts'
import { readLinkUrl } from './section.ts'

/** Milliseconds: two rounds in which others are told what is used, and time to tell it. */
const SHORTEST_SHARED_IDLE = 180_000

/** Of a configuration with a section `cluster`. */
export function* clusterContradictions(config: Config): Generator<Contradiction> {
  const { cluster, store, listeners } = config
  if (cluster === undefined) return
  if (store.type !== 'postgres') {
    yield {
      about: [['cluster'], ['store', 'type']],
      found: 'something about several gateways',
      expected: 'none, unless store.type is "postgres", which they can share',
    }
  }
  for (const [i, { name, url }] of listeners.entries()) {
    if (name !== withoutKey(url)) continue
    yield {
      about: [['listeners', i, 'name'], ['cluster']],
      found: 'nothing',
      expected: 'a name, the same in all nodes, as sessions are stored with it',
    }
  }
  yield* shareContradictions(config)
}

/** Of nodes that each serve a share. */
function* shareContradictions({ cluster, listeners, broker, sensors }: Config): Generator<Contradiction> {
  const { listen, advertise, secret } = cluster ?? {}
  if (listen === undefined) {
    if (advertise === undefined) return
    yield {
      about: [
        ['cluster', 'advertise'],
        ['cluster', 'listen'],
      ],
      found: 'an address',
      expected: 'cluster.listen besides, as others could not reach this node',
    }
    return
  }
  const told = { listen, ...(advertise !== undefined && { advertise }) }
  const [open] = Object.entries(told).filter(([, url]) => !isLoopback(readLinkUrl(url)?.host ?? ''))
  if (secret === undefined && open !== undefined) {
    yield {
      about: [
        ['cluster', 'secret'],
        ['cluster', open[0]],
      ],
      found: 'nothing',
      expected: `a text that all nodes have, as others can reach cluster.${open[0]}`,
    }
  }
  for (const [i, { clientId }] of sensors.entries()) {
    if (!clientId?.startsWith(`${broker.clientId}-`)) continue
    yield {
      about: [
        ['sensors', i, 'clientId'],
        ['broker', 'clientId'],
      ],
      found: 'a name that begins like those of the nodes',
      expected:
        'another beginning, as each node is broker.clientId, "-" and its name at the broker, and no sensor may be',
    }
  }
  for (const [i, { dtls }] of listeners.entries()) {
    const { connectionId = 0 } = dtls ?? {}
    if (connectionId === 0 || connectionId >= SHORTEST_SHARED_ID) continue
    yield {
      about: [
        ['listeners', i, 'dtls', 'connectionId'],
        ['cluster', 'listen'],
      ],
      found: `${connectionId} octets`,
      expected: `${SHORTEST_SHARED_ID} to 16 octets, or 0 for none, as connection ids tell which node has the session`,
    }
  }
  for (const [i, { dtls }] of listeners.entries()) {
    if (dtls === undefined || dtls.idle >= SHORTEST_SHARED_IDLE) continue
    yield {
      about: [
        ['listeners', i, 'dtls', 'idle'],
        ['cluster', 'listen'],
      ],
      found: `${dtls.idle / 1000} s`,
      expected: `${SHORTEST_SHARED_IDLE / 60_000} minutes or more, as that another node's sensor uses a session is told every minute`,
    }
  }
  const shared = [
    { path: ['broker', 'connections'], connections: broker.connections },
    ...sensors.map(({ connections }, i) => ({ path: ['sensors', i, 'connections'], connections })),
  ] as const
  for (const { path, connections } of shared) {
    if (connections === undefined || connections === 'perSensor') continue
    yield {
      about: [path, ['cluster', 'listen']],
      found: 'connections that sensors share',
      expected:
        '"perSensor", as several nodes cannot go on with a shared connection; without cluster.listen one node serves at a time',
    }
  }
}
