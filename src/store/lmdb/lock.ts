// Lets one gateway only use a store. The lock is the kernel's: it ends with the process that has it, and holds between
// containers that share the folder, whose process ids mean nothing to each other.

import { closeSync, constants, existsSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { acquireSocketLock, isSocketLocked } from './socket-lock.ts'

/** `open` takes the lock with the file on BSD and macOS (O_EXLOCK), and on Windows (UV_FS_O_EXLOCK: nobody else can open it). */
const EXCLUSIVE = process.platform === 'win32' ? 0x10000000 : 0x20
const HELD = new Set<unknown>(['EAGAIN', 'EBUSY', 'EPERM'])

/** Another process has it. `holder`: who, for people, as far as it is known. */
export interface Held {
  readonly holder: string
}

/**
 * Takes the lock of a folder.
 * @returns what gives it back
 * @throws errors of the file system
 */
export async function acquireLock(folder: string): Promise<(() => void) | Held> {
  const release = process.platform === 'linux' ? await acquireSocketLock(folder) : openExclusively(folder)
  const path = join(folder, 'pid')
  if (release === undefined) return { holder: holderOf(path) }
  const own = JSON.stringify({ pid: process.pid, host: hostname() })
  try {
    writeFileSync(path, own, { mode: 0o600 }) // for people only
  } catch (error) {
    release()
    throw error
  }
  return () => {
    if (read(path) === own) rmSync(path, { force: true })
    release()
  }
}

function openExclusively(folder: string): (() => void) | undefined {
  const { O_RDWR, O_CREAT, O_NONBLOCK = 0 } = constants
  try {
    const file = openSync(join(folder, 'lock'), O_RDWR | O_CREAT | O_NONBLOCK | EXCLUSIVE, 0o600)
    return () => closeSync(file)
  } catch (error) {
    if (error instanceof Error && 'code' in error && HELD.has(error.code)) return undefined
    throw error
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function holderOf(path: string): string {
  const known = parseHolder(path)
  if (known === undefined) return '' // it has just begun
  const { pid, isHere, host } = known
  return isHere ? ` (process ${pid})` : ` (process ${pid} on ${host})`
}

/** The process that uses a store. */
export interface Holder {
  readonly pid: number
  readonly host: string
  /** whether it runs on this host, where its number means something */
  readonly isHere: boolean
}

function parseHolder(path: string): Holder | undefined {
  try {
    const { pid, host } = JSON.parse(read(path))
    if (!Number.isSafeInteger(pid) || pid <= 0 || typeof host !== 'string') return undefined
    return { pid, host, isHere: host === hostname() }
  } catch {
    return undefined
  }
}

/**
 * Who uses the store in a folder: a living process; undefined if nobody does, as far as it is told. Takes nothing, so that a gateway that
 * starts at this moment does not notice.
 */
export async function storeHolder(folder: string): Promise<Holder | undefined> {
  const isHeld = process.platform === 'linux' ? await isSocketLocked(folder) : isOpenExclusively(folder)
  return isHeld ? parseHolder(join(folder, 'pid')) : undefined
}

function isOpenExclusively(folder: string): boolean {
  if (!existsSync(join(folder, 'lock'))) return false
  const release = openExclusively(folder)
  release?.()
  return release === undefined
}
