// The folder of a store on disk: creates it, locks it, and checks that no file in it is damaged or missing.

import { existsSync, mkdirSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { StoreError } from '../store.ts'
import { damageOf } from './damage.ts'
import { acquireLock, type Held } from './lock.ts'

const REMEDY = 'restore it from a copy, or move the folder away to start without its sessions'

/** Why something failed, in words. */
function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return 'permission denied'
    case 'EROFS':
      return 'the file system is read-only'
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full'
    case 'ENOTSUP':
    case 'EOPNOTSUPP':
      return 'its file system cannot be locked by one process: use a local disk'
    case 'ENOTDIR':
    case 'EEXIST':
      return 'there is a file in its place'
    default:
      return error instanceof Error ? error.message : String(error)
  }
}

/** Does not use `recursive`, which never returns where nothing can be created, such as below /proc. */
function create(folder: string): void {
  if (existsSync(folder)) return
  create(dirname(folder))
  mkdirSync(folder, { mode: 0o700 }) // other users may not read what sensors say
}

/**
 * Makes a folder ready for LMDB, and this process its only user.
 * @returns what lets go of it
 * @throws StoreError
 */
export async function takeFolder(folder: string): Promise<() => void> {
  let release: (() => void) | Held
  try {
    create(folder)
    insistOnLocalDisk(folder)
    release = await acquireLock(folder)
  } catch (error) {
    if (error instanceof StoreError) throw error
    throw new StoreError(
      `store ${folder} cannot be written: ${reasonOf(error)}. ` +
        'Let the gateway write there, or set store.path to another folder',
    )
  }
  if (typeof release !== 'function') {
    throw new StoreError(
      `store ${folder} is in use by another gateway${release.holder}: ` +
        'stop that one, or give this one a store.path of its own',
    )
  }
  try {
    insistOnData(folder)
    return release
  } catch (error) {
    release()
    throw error
  }
}

/** File systems that several machines share, by the numbers that Linux gives them. */
const SHARED: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'SMB'],
  [0x00c36400, 'CephFS'],
  [0x5346414f, 'AFS'],
  [0x0bd00bd0, 'Lustre'],
  [0x01161970, 'GFS2'],
  [0x7461636f, 'OCFS2'],
  [0x47504653, 'GPFS'],
])

/** Memory-mapped files and the lock hold within one machine only. */
function insistOnLocalDisk(folder: string): void {
  if (process.platform !== 'linux') return
  const name = SHARED.get(Number(statfsSync(folder).type) >>> 0)
  if (name === undefined) return
  throw new StoreError(
    `store ${folder} is on a network file system (${name}), where a second gateway could not be kept out: ` +
      'set store.path to a folder on a local disk',
  )
}

/** Marks the folder, so that from now on a missing or empty data file counts as damage and not as a new store. */
export function markBegun(folder: string): void {
  const path = join(folder, 'about.txt')
  if (!existsSync(path)) {
    writeFileSync(
      path,
      'Sessions of sensors, kept by mqtt-sn-gateway in data.mdb. Delete the whole folder or nothing.\n',
    )
  }
}

function insistOnData(folder: string): void {
  const path = join(folder, 'data.mdb')
  const begun = existsSync(join(folder, 'about.txt'))
  let damage: string | undefined
  try {
    const octets = statSync(path, { throwIfNoEntry: false })?.size
    if (octets !== undefined) damage = damageOf(path)
    if (begun && !octets) damage = octets === undefined ? 'it is missing' : 'it is empty'
  } catch (error) {
    throw new StoreError(`${path} cannot be read (${reasonOf(error)}): let the gateway read it`)
  }
  if (damage !== undefined) throw new StoreError(`${path} is damaged: ${damage}. Remedy: ${REMEDY}`)
}
