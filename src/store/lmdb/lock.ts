// Lets one gateway only use a store. A file names the process that has it, and is void when that process is gone.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'

/** A process: ids are used again after a restart of the machine or of a container, so that its start counts too. */
interface Holder {
  readonly pid: number
  /** when it started, where the system tells: this start of the machine, and the time since */
  readonly start: string
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** When a process started; '' where the system does not tell; undefined if it is not there. */
function startOf(pid: number): string | undefined {
  const boot = read('/proc/sys/kernel/random/boot_id')
  if (boot !== undefined) {
    const stat = read(`/proc/${pid}/stat`)
    // the name in parentheses may hold anything; the start is the 20th field behind it
    return stat && `${boot.trim()} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`
  }
  try {
    process.kill(pid, 0)
    return ''
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM' ? '' : undefined
  }
}

function holderOf(path: string): Holder | undefined {
  try {
    const { pid, start } = JSON.parse(readFileSync(path, 'utf8'))
    return Number.isSafeInteger(pid) && typeof start === 'string' ? { pid, start } : undefined
  } catch {
    return undefined // cut off by a crash
  }
}

function lives({ pid, start }: Holder): boolean {
  if (startOf(pid) !== start) return false
  // Where the start is unknown, the same pid is that of a predecessor: in a container every gateway may have it.
  return start !== '' || pid !== process.pid
}

/**
 * Takes the lock; returns what gives it back. A lock whose process is gone is taken over.
 * @returns the pid of another process that has it
 * @throws errors of the file system
 */
export function acquireLock(path: string): (() => void) | number {
  const own = JSON.stringify({ pid: process.pid, start: startOf(process.pid) ?? '' })
  for (;;) {
    try {
      writeFileSync(path, own, { flag: 'wx', mode: 0o600 })
      return () => {
        if (read(path) === own) rmSync(path, { force: true })
      }
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    }
    const holder = holderOf(path)
    if (holder !== undefined && lives(holder)) return holder.pid
    rmSync(path, { force: true })
  }
}
