// Opens the store on disk, LMDB in a folder of its own, for one gateway or for its threads.

import { join, resolve } from 'node:path'
import { Changes } from '../changes.ts'
import { type Store, StoreError } from '../store.ts'
import { Asides } from './asides.ts'
import { Environment, openClock, openDatabase, writeClock } from './environment.ts'
import { markBegun, takeFolder } from './folder.ts'
import { GroupedStore } from './grouped-store.ts'
import { loadSessions } from './load.ts'
import { everything, type LmdbOptions } from './options.ts'

/**
 * Opens the store in a folder, alone: no other process can, until it is closed.
 * @throws StoreError that says what is wrong with the folder or its content, and what to do
 */
export async function openLmdbStore(options: LmdbOptions): Promise<Store> {
  const { part } = options
  const folder = resolve(options.path)
  const release = part === undefined ? await takeFolder(folder) : () => {}
  const file = join(folder, 'data.mdb')
  let environment: Environment | undefined
  try {
    const database = openDatabase(folder)
    const clock = openClock(database, options.machine)
    environment = new Environment(folder, database, clock)
    const { owns, ...numbers } = part ?? everything
    const changes = new Changes(numbers)
    const asides = new Asides()
    const targets = { owns, beside: asides.loaded }
    const sessions = await loadSessions(database, changes, file, clock, targets)
    await writeClock(database, clock)
    markBegun(folder)
    return new GroupedStore(options, { file, release, environment, clock, changes, asides, sessions })
  } catch (error) {
    await environment?.abandon()
    release()
    if (error instanceof StoreError) throw error
    throw new StoreError(
      `store ${folder} cannot be opened: ${error instanceof Error ? error.message : error}. ` +
        'See that the disk has space and works; move the folder away to start without its sessions',
    )
  }
}

/**
 * Takes the folder for this process, whose threads then open a share of the store each, and sees that all in it can be read.
 * Resolves to what lets go of it.
 * @throws StoreError as `openLmdbStore`
 */
export async function takeStore(path: string): Promise<() => void> {
  const release = await takeFolder(resolve(path))
  try {
    const store = await openLmdbStore({ path, part: everything })
    await store.close()
    return release
  } catch (error) {
    release()
    throw error
  }
}
