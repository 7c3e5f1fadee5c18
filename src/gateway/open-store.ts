// Opens the store that the configuration names, finds places and times of its records again, and closes it [SN-SESS-10].

import type { Config } from '../config/schema.ts'
import type { Log } from '../log.ts'
import { type Peer, peerKey } from '../session/peers.ts'
import type { PeerRecord } from '../session/record.ts'
import type { Bearings } from '../sessions/restore.ts'
import { openLmdbStore } from '../store/lmdb/lmdb.ts'
import type { StorePart } from '../store/lmdb/options.ts'
import { createMemoryStore } from '../store/memory.ts'
import type { SlotOf, Store } from '../store/store.ts'
import type { BoundListener } from './datagrams/listener.ts'

/** How long a stopping gateway waits for its store, milliseconds. */
const PATIENCE = 3000

/** Whether sessions outlive the process, so that sensors need not be told when it ends. */
export const isDurable = ({ store }: Config): boolean => store.type !== 'memory'

/** Opens the store; rejects with StoreError. */
export const openStore = async (
  { store: { type, path } }: Config,
  log: Log,
  slotOf: SlotOf,
  part?: StorePart,
): Promise<Store> =>
  type === 'memory' ? createMemoryStore({ slotOf }) : openLmdbStore({ path, log, part, slotOf })

/** Listeners with sessions of their own. */
export const secureNames = ({ listeners }: Config): string[] =>
  listeners.flatMap(({ name, dtls }) => (dtls === undefined ? [] : [name]))

/** Finds places and times of stored records again: listeners by their names, times as the store counts them. */
export function createBearings(listeners: Iterable<BoundListener>, { time }: Store): Bearings {
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
    knownSince: time.knownSince,
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
