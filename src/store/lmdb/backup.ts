// Copies a store into one file while a gateway uses it, and puts such a file back.

import { existsSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { StoreError } from '../store.ts'
import { damageOf } from './damage.ts'
import { ABOUT, openDatabase } from './database.ts'
import { markBegun, takeFolder } from './folder.ts'
import { installationIn, openForReading } from './look.ts'

/**
 * Writes a consistent copy of the store in a folder, as it is at this moment, to a file; a gateway that runs with it goes on. The file is
 * there whole or not at all, and its owner alone may read it.
 * @throws StoreError
 */
export async function backUpStore(folder: string, file: string): Promise<void> {
  const target = resolve(file)
  const database = openForReading(resolve(folder))
  // beside the file, so that it can be moved to its place in one step
  const work = await mkdtemp(join(dirname(target), `.${basename(target)}-`)).catch((error: unknown) => {
    throw cannot(`write ${file}`, error)
  })
  const copy = join(work, 'data.mdb')
  try {
    await database.backup(work, true)
    await noteInstallation(work, installationIn(folder))
    const damage = damageOf(copy)
    if (damage !== undefined) throw new StoreError(`the copy is damaged: ${damage}`)
    await chmod(copy, 0o600)
    await rename(copy, target)
  } catch (error) {
    throw error instanceof StoreError ? error : cannot(`write ${file}`, error)
  } finally {
    await database.close()
    await rm(work, { recursive: true, force: true })
  }
}

/** What tells this gateway from others at the broker goes along, though it is a file of its own in the folder. */
async function noteInstallation(folder: string, installation: string | undefined): Promise<void> {
  if (installation === undefined) return
  const database = openDatabase(folder)
  try {
    await database.put(ABOUT, { ...Object(database.get(ABOUT)), installation })
  } finally {
    await database.close()
  }
}

/**
 * Puts a copy back, as the store in a folder that has none.
 * @throws StoreError, also if a gateway uses the folder, or sessions are in it
 */
export async function restoreStore(file: string, folder: string): Promise<void> {
  const place = resolve(folder)
  const data = join(place, 'data.mdb')
  if (!existsSync(file)) throw new StoreError(`${file}: there is no such file`)
  const damage = damageOf(resolve(file))
  if (damage !== undefined) throw new StoreError(`${file} is damaged, or no copy of a store: ${damage}`)
  if (existsSync(data)) throw new StoreError(`${folder} holds a store already: move it away first`)
  const release = await takeFolder(place)
  const work = join(place, 'restoring')
  try {
    await mkdir(work, { mode: 0o700, recursive: true })
    await copyFile(resolve(file), join(work, 'data.mdb'))
    await chmod(join(work, 'data.mdb'), 0o600)
    const database = openForReading(work)
    const { installation }: { installation?: unknown } = Object(database.get(ABOUT))
    await database.close()
    if (typeof installation === 'string')
      await writeFile(join(place, 'installation.txt'), `${installation}\n`, { mode: 0o600 })
    await rename(join(work, 'data.mdb'), data)
    markBegun(place)
  } catch (error) {
    throw error instanceof StoreError ? error : cannot(`restore to ${folder}`, error)
  } finally {
    await rm(work, { recursive: true, force: true })
    release()
  }
}

const cannot = (what: string, error: unknown): StoreError =>
  new StoreError(`cannot ${what}: ${error instanceof Error ? error.message : error}`)
