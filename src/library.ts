// The face of the package, `mqtt-sn-gateway`: a gateway inside another program. What is not named here may change at any time.

import type { Config } from './config/schema.ts'
import type { StateChange, WatchedPacket } from './console/contract/live.ts'
import type { Console } from './console/server.ts'
import type { KeyLookUp } from './gateway/dtls/key-questions.ts'
import { Gateway as InnerGateway } from './gateway/gateway.ts'
import type { GatewayStatus, ReloadReport } from './library/status.ts'
import { type Log, silentLog } from './log.ts'
import { openConsole as openConsoleOf } from './monitor/open-console.ts'
import { createView } from './monitor/view.ts'
import { openLmdbStore as openLmdb } from './store/lmdb/lmdb.ts'
import type { Store } from './store/store.ts'
import { version } from './version.ts'

export { ConfigError, type Loaded, type LoadOptions, loadConfig } from './config/load.ts'
export type { Problem } from './config/reading/problems.ts'
export type { Config } from './config/schema.ts'
export type { Console } from './console/server.ts'
export type { KeyLookUp } from './gateway/dtls/key-questions.ts'
export type { GatewayStatus, ReloadReport } from './library/status.ts'
export { createLog, type Log, type LogStream } from './log.ts'
export { createMemoryStore } from './store/memory.ts'
export { type Store, StoreError } from './store/store.ts'

/** What a gateway is given besides its configuration; everything has a default. */
export interface GatewayParts {
  /** where it logs, from `createLog`; nowhere if absent */
  readonly log?: Log
  /** where it keeps sessions, instead of the store that the configuration names; the gateway closes it when it stops */
  readonly store?: Store
  /**
   * Told, if ever, that another gateway has taken over the sessions in the database (`store.type` "postgres"). This one can promise
   * nothing any more, and should be stopped.
   */
  readonly onDeposed?: (why: Error) => void
  /**
   * Knows the pre-shared keys of sensors at `dtls://` listeners that have a section `psk` (`{ keys: {} }` will do), after those of
   * the configuration: octets, or undefined for who is not known. It may answer by a promise; meanwhile only that one handshake
   * waits, for `dtls.handshake` at most. A reload asks again for whoever has a session, and ends it where the key is another one
   * or none. After an answer by promise a sensor cannot resume: each handshake is a whole one.
   */
  readonly findKey?: KeyLookUp
}

/** What an observer is told; what it throws is logged, and the gateway goes on. */
export interface GatewayObserver {
  /** a sensor went from one state to another, with the reason in words */
  state?(change: StateChange): void
  /** a datagram came from a sensor or went to one, with its octets and its explanation, line by line */
  packet?(packet: WatchedPacket): void
}

/** An MQTT-SN gateway in this process and thread: sensors on UDP, one MQTT connection each to the broker [4.1]. */
export interface Gateway {
  /**
   * Binds the listeners, takes up the sessions in the store and begins to serve; once. Rejects, with nothing left open, if a
   * listener cannot be bound, or the store cannot be used (StoreError). A broker that is away is no failure.
   */
  start(): Promise<void>
  /**
   * Ends all connections to the broker without wills and frees the ports, within some seconds; once. Sensors are told,
   * unless their sessions are in a durable store, in which the next start finds them.
   */
  stop(): Promise<void>
  /**
   * Takes over another configuration as far as no session has to end for that, and says what holds now and what needs a
   * restart. Throws an Error, with nothing changed, if the certificates for the broker cannot be used.
   */
  reload(next: Config): ReloadReport
  /** How the listeners, the broker, the store and the counters stand at this moment. */
  status(): GatewayStatus
  /** Tells the observer what happens from now on, until the returned function is called. */
  observe(observer: GatewayObserver): () => void
  /** Publishes at QoS 0 on the gateway's own connection to the broker; false if that is down or congested. */
  publish(topic: string, payload: Uint8Array, retain: boolean): boolean
}

/** What stands behind a gateway that this file has made. */
interface Inside {
  readonly gateway: InnerGateway
  readonly config: Config
}

const insides = new WeakMap<Gateway, Inside>()

/**
 * Makes a gateway of a configuration that comes from `loadConfig`; nothing is opened before `start`. It serves all sensors in
 * this thread, whatever `workers` says: several threads are what the command `mqttsn gateway` makes.
 */
export function createGateway(config: Config, parts: GatewayParts = {}): Gateway {
  const inner = new InnerGateway(config, parts)
  const gateway: Gateway = {
    start: () => inner.start(),
    stop: () => inner.stop(),
    reload: (next) => inner.reload(next),
    status: () => inner.status(),
    observe: (observer) => observeGateway({ gateway: inner, config }, observer),
    publish: (topic, payload, retain) => inner.publish(topic, payload, retain),
  }
  insides.set(gateway, { gateway: inner, config })
  return gateway
}

function observeGateway({ gateway, config }: Inside, { state, packet }: GatewayObserver): () => void {
  const view = createView(gateway, config, version())
  if (state !== undefined) view.onChange(state)
  const endWatch = packet === undefined ? () => {} : view.watch(undefined, packet)
  return () => {
    endWatch()
    view.close()
  }
}

/**
 * Serves the console of a started gateway as its configuration says (`console`): page, API, events and metrics. Resolves to
 * where it is, to be closed before the gateway stops; to undefined if the configuration switches it off. Rejects if
 * its port is taken, or for a gateway that `createGateway` has not made (TypeError).
 */
export async function openConsole(gateway: Gateway, log: Log = silentLog): Promise<Console | undefined> {
  const inside = insides.get(gateway)
  if (inside === undefined) throw new TypeError('openConsole needs a gateway that createGateway has made')
  return openConsoleOf(inside.gateway, inside.config, log, version())
}

/** Where the durable store is. */
export interface LmdbStoreOptions {
  /** a folder, made if it is missing; one process at a time can use it */
  readonly path: string
  /** told once when writing begins to fail, and once when it works again */
  readonly log?: Log
}

/**
 * Opens the durable store (LMDB), for a program that does not leave this to the configuration. What it holds is on the disk
 * before anyone is told. Rejects with StoreError, whose message says what is wrong with the folder and what to do.
 */
export const openLmdbStore = ({ path, log }: LmdbStoreOptions): Promise<Store> => openLmdb({ path, log })
