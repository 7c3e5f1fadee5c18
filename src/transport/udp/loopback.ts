// Which address of the loopback interface a program on this machine speaks to. Linux takes all of 127.0.0.0/8 for itself without
// listing it (127.0.1.1 is the host's own name on Debian), and only programs on this machine can use it.

import type { Remote } from '../transport.ts'
import { readAddress4, readTable, writtenAddress } from './proc-table.ts'

/** Looks at the system's table per second: it has a line per socket of the machine. */
const LOOKS = 10

/** Finds what a remote is connected to, with a bound on the work; one object for each listener. */
export class LoopbackTargets {
  readonly #port: number
  #second = 0
  #looks = 0

  /** `port`: the listener's. */
  constructor(port: number) {
    this.#port = port
  }

  /**
   * The loopback address that a remote on this machine has connected its socket to; undefined if it has not connected it,
   * since it then takes answers from any address.
   */
  targetOf(remote: Remote): string | undefined {
    if (!remote.address.startsWith('127.') || !this.#mayLook()) return undefined
    try {
      return targetIn(readTable(4), remote, this.#port)
    } catch {
      return undefined // not on Linux
    }
  }

  #mayLook(): boolean {
    const second = Math.floor(performance.now() / 1000)
    if (second !== this.#second) this.#looks = 0
    this.#second = second
    this.#looks += 1
    return this.#looks <= LOOKS
  }
}

/** Finds in the text of /proc/net/udp where the socket of a remote is connected to, if that is on `port` of 127.0.0.0/8. */
export function targetIn(table: string, { address, port }: Remote, ours: number): string | undefined {
  const row = `: ${writtenAddress({ host: address, port, family: 4 })} `
  for (let at = table.indexOf(row); at >= 0; at = table.indexOf(row, at + 1)) {
    const start = at + row.length
    const target = readAddress4(table.slice(start, table.indexOf(' ', start)))
    if (target.port === ours && target.host.startsWith('127.')) return target.host
  }
  return undefined
}
