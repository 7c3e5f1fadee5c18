// Opens the store that the configuration names, finds places and times of its records again, and closes it [SN-SESS-10].

import type { Config } from '../config/schema.ts'
import type { Log } from '../log.ts'
import { type Peer, peerKey } from '../session/peers.ts'
import type { PeerRecord } from '../session/record.ts'
import type { Bearings } from '../sessions/restore.ts'
import { installationOf } from '../store/beside/installation.ts'
import { openLmdbStore, takeStore as takeLmdbStore } from '../store/lmdb/lmdb.ts'
import { createMemoryStore } from '../store/memory.ts'
import { everything, type StorePart } from '../store/part.ts'
import { readEngineUrl } from '../store/postgres/engine/url.ts'
import type { PostgresOptions } from '../store/postgres/options.ts'
import { type SlotOf, type Store, StoreError } from '../store/store.ts'
import type { BoundListener } from './datagrams/listener.ts'
import type { Tenure } from './tenure.ts'
import type { WorkerShare } from './worker-share.ts'

/** How long a stopping gateway waits for its store, milliseconds. */
const PATIENCE = 3000

/** Whether sessions outlive the process, so that sensors need not be told when it ends. */
export const isDurable = ({ store }: Config): boolean => store.type !== 'memory'

/** Opens the store; rejects with StoreError. */
export async function openStore(
  { store }: Config,
  log: Log,
  slotOf: SlotOf,
  part?: StorePart,
): Promise<Store> {
  if (store.type === 'memory') return createMemoryStore({ slotOf })
  if (store.type === 'lmdb') return openLmdbStore({ path: store.path, log, part, slotOf })
  // most gateways have none, and load nothing of it
  const { openPostgresStore } = await import('../store/postgres/postgres.ts')
  return openPostgresStore({ engine: engineOf(store), replicated: store.replicated, log, part, slotOf })
}

/** Loads the code that `openStore` needs: whoever takes over from another one does not wait for it. */
export async function loadStore({ store }: Config): Promise<void> {
  if (store.type !== 'postgres') return
  const { loadDriver } = await import('../store/postgres/postgres.ts')
  await loadDriver()
}

/** The part of the store that a gateway has: a thread its own, and one that others are ready to replace as whom it has taken it. */
export function storePartOf(share?: WorkerShare, tenure?: Pick<Tenure, 'taken'>): StorePart | undefined {
  if (share !== undefined || tenure === undefined) return share?.stored
  return { ...everything, taken: tenure.taken }
}

/** The database server that the configuration names. */
export function engineOf({ url = '', username, password }: Config['store']): PostgresOptions['engine'] {
  const address = readEngineUrl(url)
  if ('expected' in address) throw new StoreError(`store.url: expected ${address.expected}`)
  return { ...address, username, password }
}

/** A store that this process uses, and its threads each a part of it. */
export interface TakenStore extends Pick<StorePart, 'taken'> {
  /** what tells this installation from others */
  readonly installation: string
  /** lets go of it, when all have closed their parts */
  release(): void
}

/** Takes the store for so many threads that write; rejects with StoreError. */
export async function takeStore({ store }: Config, writers: number): Promise<TakenStore> {
  if (store.type === 'memory') return { installation: installationOf(undefined), release: () => {} }
  if (store.type === 'lmdb') {
    const release = await takeLmdbStore(store.path)
    return { installation: installationOf(store.path), release }
  }
  const { takePostgresStore } = await import('../store/postgres/postgres.ts')
  const { installation, incarnation } = await takePostgresStore(engineOf(store), writers)
  return { installation, taken: incarnation, release: () => {} }
}

/** Listeners with sessions of their own. */
export const secureNames = ({ listeners }: Config): string[] =>
  listeners.flatMap(({ name, dtls }) => (dtls === undefined ? [] : [name]))

/** Finds places and times of stored records again: listeners by their names, times as the store counts them. */
export function createBearings(
  listeners: Iterable<BoundListener>,
  { time }: Store,
  tenure?: Pick<Tenure, 'taken'>,
): Bearings {
  const byName = new Map([...listeners].map((bound) => [bound.listener.name, bound]))
  return {
    peerOf({ listener, address, port, nodeId, local, association }: PeerRecord): Peer | undefined {
      const bound = byName.get(listener)
      if (bound === undefined) return undefined
      return {
        key: peerKey(bound.index, address, port, nodeId, association),
        listener: bound.listener,
        address,
        port,
        nodeId,
        local,
        association,
      }
    },
    // what was written just before another boot may lie ahead of what the store knows of it
    toMonotonic: (stored) => Math.min(time.toMonotonic(stored), performance.now()),
    // Where sessions come from another process, sensors may have spoken to that one until now: it had the way to them, if no way to
    // the store.
    get knownSince() {
      return tenure === undefined ? time.knownSince : performance.now()
    },
  }
}

/**
 * Resolves when everything written so far is durable, to true; logs an error if that fails, or takes longer than some seconds, and
 * resolves to false.
 */
export const settleStore = async (store: Store, log: Log): Promise<boolean> =>
  store.durable === store.written || within((done) => store.onDurable(done), log)

/** Writes what is pending and closes the store; logs an error if that fails, or takes longer than some seconds. */
export async function closeStore(store: Store, log: Log): Promise<void> {
  await within((done) => void store.close().then(() => done(), done), log)
}

async function within(start: (done: (error?: unknown) => void) => void, log: Log): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const err = await new Promise<unknown>((resolve) => {
    timer = setTimeout(() => resolve(new Error(`not within ${PATIENCE} ms`)), PATIENCE)
    start(resolve)
  })
  clearTimeout(timer)
  if (err !== undefined) log.error({ err }, 'the store cannot write: the last changes may be lost')
  return err === undefined
}
