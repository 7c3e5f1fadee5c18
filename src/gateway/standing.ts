// How a gateway stands: what it knows of its listeners, its broker and its store, put together for those who look.

import type { Config } from '../config/schema.ts'
import type { Store } from '../store/store.ts'
import type { Broker } from './broker.ts'
import type { Counters } from './counters.ts'
import { type Link, linkStatus } from './links.ts'
import type { GatewayStatus } from './observer.ts'
import type { Performer } from './performer.ts'
import { storeStatus } from './persistence.ts'

/** The parts of a gateway that tell of themselves; what is not there yet, or no more, is undefined. */
export interface Standing {
  readonly config: Config
  readonly links: Iterable<Link>
  readonly broker: Broker | undefined
  readonly healthy: boolean
  readonly store: Store | undefined
  readonly performer: Performer | undefined
  readonly counters: Counters
  readonly sensors: number
}

/** Read when asked for, listeners only when looked at: their numbers are the system's, and cost the most. */
export function standingOf(parts: Standing): GatewayStatus {
  const { config, broker, healthy, store, performer, counters, sensors } = parts
  const links = [...parts.links]
  const { url = '', upstream } = broker ?? {}
  return {
    get listeners() {
      return links.map(linkStatus)
    },
    broker: { url, healthy, ...upstream?.stats() },
    get store() {
      return storeStatus(config, store, counters, performer)
    },
    counters,
    sensors,
  }
}
