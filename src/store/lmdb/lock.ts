// Lets one gateway only use a store. The lock is the kernel's: it ends with the process that has it, and holds between
// containers that share the folder, whose process ids mean nothing to each other.

import { closeSync, constants, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { acquireSocketLock } from './socket-lock.ts'

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
  try {
    const { pid, host } = JSON.parse(read(path))
    if (!Number.isSafeInteger(pid) || typeof host !== 'string') return ''
    return host === hostname() ? ` (process ${pid})` : ` (process ${pid} on ${host})`
  } catch {
    return '' // it has just begun
  }
}
