// How a gateway stands: its listeners, its broker, its store and its counters, put together when somebody asks.

import type { Config } from '../config/schema.ts'
import type { Listener } from '../session/peers.ts'
import type { Store } from '../store/store.ts'
import type { Counters } from './counters.ts'
import { type Link, linkStatus } from './datagrams/listener.ts'
import type { GatewayStatus, StoreStatus } from './observer.ts'
import type { Broker } from './open-broker.ts'

/** The parts of a gateway, as far as they are there. */
export interface StandingParts {
  readonly config: Config
  readonly links: ReadonlyMap<Listener, Link>
  readonly broker: Broker | undefined
  readonly store: Store | undefined
  /** effects that wait for the store */
  readonly held: number | undefined
  readonly counters: Counters
  readonly sensors: number
}

/** Listeners and store are asked when they are looked at: the system has their numbers, which costs the most. */
export function statusOf({ links, broker, counters, sensors, ...parts }: StandingParts): GatewayStatus {
  const all = [...links.values()]
  const { url = '', upstream } = broker ?? {}
  return {
    get listeners() {
      return all.map(linkStatus)
    },
    broker: { url, healthy: upstream?.healthy ?? false, ...upstream?.stats() },
    get store() {
      return storeStatus(parts, counters)
    },
    counters,
    sensors,
  }
}

function storeStatus(
  { config, store, held = 0 }: Pick<StandingParts, 'config' | 'store' | 'held'>,
  { storeFailures }: Counters,
): StoreStatus {
  const health = store?.health ?? { error: undefined, groups: 0, seconds: 0, octets: 0 }
  return { type: config.store.type, failures: storeFailures, held, ...health }
}
