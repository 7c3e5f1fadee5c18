// Notices that a file is another one now: editors write it or put a new one in its place, deployments swap a link on the way.

import { statSync, watch } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** A file counts as written when it stayed the same for so long, milliseconds. */
const SETTLE = 200

/**
 * Calls `onChange` when the file has been changed, replaced or removed and then stayed the same for a moment, until the
 * returned function is called. Throws if the folder cannot be watched; `onError` takes what ends the watching later.
 */
export function watchFile(
  file: string,
  onChange: () => void,
  onError: (error: Error) => void = () => {},
): () => void {
  let known = stampOf(file)
  let seen = known
  let timer: NodeJS.Timeout | undefined
  const look = (): void => {
    timer = undefined
    const stamp = stampOf(file)
    if (stamp === known) return
    if (stamp === seen) {
      known = stamp
      onChange()
    } else {
      seen = stamp
      timer = setTimeout(look, SETTLE)
    }
  }
  // The folder, not the file: a watched file that is replaced would not be watched any more.
  const watcher = watch(dirname(resolve(file)), () => {
    timer ??= setTimeout(look, SETTLE / 2)
  })
  watcher.on('error', onError)
  return () => {
    clearTimeout(timer)
    watcher.close()
  }
}

/** Tells one state of a file from another, links followed; empty if there is none. */
function stampOf(file: string): string {
  const stats = statSync(file, { bigint: true, throwIfNoEntry: false })
  return stats === undefined
    ? ''
    : `${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`
}
