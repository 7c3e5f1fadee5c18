// Which folder a gateway keeps its sessions in: by --store, or by the configuration it is started with.

import { resolve } from 'node:path'
import type { Command } from 'commander'
import { loadConfig } from '../../config/load.ts'
import { StoreError } from '../../store/store.ts'

/** What `addStoreOptions` adds. */
export interface StoreFlags {
  config?: string
  store?: string
}

/** Adds the options that say which store is meant, as `mqttsn gateway` has them. */
export const addStoreOptions = (command: Command): Command =>
  command
    .option('-c, --config <file>', "the gateway's configuration file, which names the store")
    .option('--store <folder>', 'its folder (default: that of the configuration, else mqttsn-state)')

/** The folder. Throws StoreError for a gateway that keeps nothing, ConfigError for a configuration that cannot be loaded. */
export function storeFolder(
  { config: file, store }: StoreFlags,
  env: Readonly<Record<string, string | undefined>>,
): string {
  if (store !== undefined && store !== 'memory') return resolve(store)
  const { type, path } =
    store === 'memory' ? { type: 'memory', path: '' } : loadConfig({ file, env }).config.store
  if (type === 'lmdb') return path
  if (type === 'postgres')
    throw new StoreError(
      'the sessions are in a database, not in a folder: pg_dump copies it, and pg_restore puts it back; mqttsn reload finds the gateway by --pid',
    )
  throw new StoreError('nothing is on disk where store.type is "memory"; --store names another folder')
}
