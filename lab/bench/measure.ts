// What the system says of a process and of a socket: processor time, memory, datagrams that the kernel dropped (Linux).

import { existsSync, readFileSync } from 'node:fs'

const TICKS_PER_SECOND = 100
const LOOKS = 5
/** the gateway samples its event loop this often: what an idle one shows is this, not delay */
const SAMPLED_EVERY = 0.01

/** What a process has used up to now. */
export interface ProcessUse {
  /** seconds in its own code, all threads */
  readonly user: number
  /** seconds in the kernel */
  readonly system: number
  /** seconds of the first thread, in both */
  readonly first: number
  /** resident KiB */
  readonly memory: number
}

/** Undefined where the process, or /proc, is not there. */
export function processUse(pid: number | undefined): ProcessUse | undefined {
  if (pid === undefined || !existsSync(`/proc/${pid}/stat`)) return undefined
  const [user = 0, system = 0] = secondsOf(`/proc/${pid}/stat`)
  const [firstUser = 0, firstSystem = 0] = secondsOf(`/proc/${pid}/task/${pid}/stat`)
  const memory = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  return { user, system, first: firstUser + firstSystem, memory }
}

/** Seconds in the program's own code and in the kernel, of a process or of a thread. */
function secondsOf(file: string): number[] {
  const fields = readFileSync(file, 'utf8').split(') ')[1]?.split(' ') ?? []
  return [fields[11], fields[12]].map((ticks) => Number(ticks) / TICKS_PER_SECOND)
}

/** How many files, sockets included, this process may have open; undefined where the system does not say. */
export function openFilesLimit(): number | undefined {
  if (!existsSync('/proc/self/limits')) return undefined
  const limit = /Max open files\s+(\d+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return limit === undefined ? undefined : Number(limit)
}

/** Datagrams that the kernel dropped because the socket bound to this port was full; undefined if there is none. */
export function kernelDrops(port: number): number | undefined {
  // The table is read in pieces and changes meanwhile, so a line can be missed.
  for (let attempt = 1; attempt < LOOKS; attempt += 1) {
    const drops = dropsOf(port)
    if (drops !== undefined) return drops
  }
  return dropsOf(port)
}

function dropsOf(port: number): number | undefined {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  let drops: number | undefined
  for (const table of ['/proc/net/udp', '/proc/net/udp6']) {
    if (!existsSync(table)) continue
    for (const line of readFileSync(table, 'utf8').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/)
      if (fields[1]?.endsWith(local)) drops = (drops ?? 0) + Number(fields.at(-1))
    }
  }
  return drops
}

/** Milliseconds by which 99 % of the turns of the gateway's event loop were late since the last call, at most. */
export async function eventLoopDelay(console: string | undefined): Promise<number | undefined> {
  if (console === undefined) return undefined
  const answer = await fetch(`${console}/metrics`)
  const seconds = /^nodejs_eventloop_lag_p99_seconds(?:\{[^}]*\})? (\S+)/m.exec(await answer.text())?.[1]
  return seconds === undefined ? undefined : Math.max(0, (Number(seconds) - SAMPLED_EVERY) * 1000)
}
