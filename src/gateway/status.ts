// The status of a gateway: listeners, broker, store and counters, put together when somebody asks.

import type { Config } from '../config/schema.ts'
import type { Listener } from '../session/peers.ts'
import type { Store } from '../store/store.ts'
import type { Counters } from './counters.ts'
import { type BoundListener, listenerStatus } from './datagrams/listener.ts'
import type { GatewayStatus, StoreStatus } from './observer.ts'
import type { OpenedBroker } from './open-broker.ts'

/** The parts of a gateway, as far as they are there. */
export interface StatusParts {
  readonly config: Config
  readonly listeners: ReadonlyMap<Listener, BoundListener>
  readonly broker: OpenedBroker | undefined
  readonly store: Store | undefined
  /** effects that wait for the store */
  readonly held: number | undefined
  readonly counters: Counters
  readonly sensors: number
}

/** Puts the status together. Listeners and store are asked only when they are read: asking the system costs the most. */
export function createStatus({ listeners, broker, counters, sensors, ...parts }: StatusParts): GatewayStatus {
  const all = [...listeners.values()]
  const { url = '', upstream } = broker ?? {}
  return {
    get listeners() {
      return all.map(listenerStatus)
    },
    broker: {
      url,
      healthy: upstream?.healthy ?? false,
      openings: upstream?.ownOpenings ?? 0,
      ...upstream?.stats(),
    },
    get store() {
      return storeStatus(parts, counters)
    },
    counters,
    sensors,
  }
}

function storeStatus(
  { config, store, held = 0 }: Pick<StatusParts, 'config' | 'store' | 'held'>,
  { storeFailures }: Counters,
): StoreStatus {
  const health = store?.health ?? { error: undefined, groups: 0, seconds: 0, octets: 0 }
  return { type: config.store.type, failures: storeFailures, held, ...health }
}
