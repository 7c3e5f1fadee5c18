// Opens the store on disk, LMDB in a folder of its own, for one gateway or for its threads.

import { join, resolve } from 'node:path'
import { Asides } from '../asides.ts'
import { Changes } from '../changes.ts'
import { GroupedStore } from '../grouped.ts'
import { everything } from '../part.ts'
import { type SlotOf, type Store, StoreError } from '../store.ts'
import { type Database, openDatabase } from './database.ts'
import { LmdbEnvironment, openClock, writeClock } from './environment.ts'
import { markBegun, takeFolder } from './folder.ts'
import { Journal } from './journal/journal.ts'
import { readStore } from './load.ts'
import type { LmdbOptions } from './options.ts'

const inOneSlot: SlotOf = () => 0

/**
 * Opens the store in a folder, alone: no other process can, until it is closed.
 * @throws StoreError that says what is wrong with the folder or its content, and what to do
 */
export const openLmdbStore = (options: LmdbOptions): Promise<Store> => openStore(options, false)

/** `insists`: what was under way when the last gateway ended has to get its place now, since others read the store after this. */
async function openStore(options: LmdbOptions, insists: boolean): Promise<Store> {
  const { part, slotOf = inOneSlot } = options
  const folder = resolve(options.path)
  const release = part === undefined ? await takeFolder(folder) : () => {}
  const file = join(folder, 'data.mdb')
  let database: Database | undefined
  try {
    database = openDatabase(folder)
    const clock = openClock(database, options.machine)
    const { owns, isBeside, ...numbers } = part ?? everything
    const journal = new Journal(numbers)
    const changes = new Changes(numbers, { slotOf })
    const asides = new Asides()
    const onNumber = (number: number) => changes.passOverNumber(number)
    const targets = { beside: asides.loaded, onNumber, journal: isBeside ? undefined : journal }
    const found = await readStore(database, file, clock, { owns, slotOf, ...targets })
    await writeClock(database, clock)
    markBegun(folder)
    const parts = { folder, database, clock, journal, slotOf, owns, found, release }
    const environment = new LmdbEnvironment(parts)
    if (journal.owes) {
      const written = environment.write([], [])
      await (insists ? written : written.catch(() => {})) // a disk that is full now has time until the next group
    }
    return new GroupedStore(options, { environment, changes, asides })
  } catch (error) {
    await database?.close()
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
    const store = await openStore({ path, part: everything }, true)
    await store.close()
    return release
  } catch (error) {
    release()
    throw error
  }
}
