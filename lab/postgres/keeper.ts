// Ends all servers whose data is in a folder, and removes it: when it is asked to, or when this process is gone, however that ended.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'

/**
 * A shell that waits until nobody holds the other end of its input. Each process of a server works in its data folder: so they are
 * known, though each is a process group of its own, and no other process is hit. Who ends at SIGQUIT removes its shared memory;
 * that of a server which was killed is removed by its number.
 */
const SCRIPT = `
while read -r _; do :; done
tell() {
  found=
  for process in /proc/[0-9]*; do
    case "$(readlink "$process/cwd")" in
      "$folder"/*) found=yes; for signal; do kill -s "$signal" "\${process#/proc/}"; done ;;
    esac
  done
}
folder=$1
tell QUIT CONT
for _ in 1 2 3 4 5 6 7 8 9 10; do
  tell; [ "$found" ] || break
  sleep 0.1
done
while tell KILL; [ "$found" ]; do sleep 0.1; done
for file in "$folder"/*/postmaster.pid; do
  memory=$(sed -n '7s/^ *[0-9-]* *//p' "$file")
  [ "$memory" ] && ipcrm -m "$memory"
done
rm -rf "$folder"`

/** What watches over one folder. */
export class PostgresKeeper {
  readonly #shell: ChildProcess

  constructor(folder: string) {
    // in a process group of its own, so that Ctrl-C leaves it alone
    this.#shell = spawn('/bin/sh', ['-c', SCRIPT, 'keeper', folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
    })
    this.#shell.unref()
  }

  /** Resolves when all servers are gone, and the folder too. */
  async close(): Promise<void> {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null) return
    const gone = once(this.#shell, 'exit')
    this.#shell.ref()
    this.#shell.stdin?.end()
    await gone
  }
}

/** The processes that work in this folder, or below it. */
export function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      try {
        const place = pid > 0 ? readlinkSync(`/proc/${pid}/cwd`) : ''
        return place === folder || place.startsWith(`${folder}/`)
      } catch {
        // it has ended meanwhile, or is none of ours
        return false
      }
    })
}
