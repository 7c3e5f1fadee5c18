// Datagrams that the kernel threw away because the receive buffer was full, read from Linux's /proc.

import type { Endpoint } from '../address.ts'
import { readTable, writtenAddress } from './proc-table.ts'

/** How long a count holds, milliseconds: the system writes a line per socket of the whole machine for each look. */
const FRESH = 1000

/** The last look at each address; only as long as its transport lives. */
const looks = new WeakMap<Endpoint, { readonly at: number; readonly drops: number | undefined }>()

/**
 * Kernel drops of the socket bound to an address since it was opened, at most a second old; undefined if the system
 * does not tell. `now` is in milliseconds, `read` gives the system's table.
 */
export function kernelDrops(
  bound: Endpoint,
  now = performance.now(),
  read: (family: Endpoint['family']) => string = readTable,
): number | undefined {
  const last = looks.get(bound)
  if (last !== undefined && now - last.at < FRESH) return last.drops
  const drops = look(bound, read)
  looks.set(bound, { at: now, drops })
  return drops
}

/** The same for several sockets together, of which the system is asked once; undefined if it tells of none. */
export function totalKernelDrops(bound: Iterable<Endpoint>): number | undefined {
  const tables: { [family in Endpoint['family']]?: string } = {}
  const read = (family: Endpoint['family']): string => {
    tables[family] ??= readTable(family)
    return tables[family]
  }
  const now = performance.now()
  let total: number | undefined
  for (const each of bound) {
    const drops = kernelDrops(each, now, read)
    if (drops !== undefined) total = (total ?? 0) + drops
  }
  return total
}

function look(bound: Endpoint, read: (family: Endpoint['family']) => string): number | undefined {
  try {
    return dropsIn(read(bound.family), bound)
  } catch {
    return undefined
  }
}

/** Finds the row of a bound address in the text of /proc/net/udp or udp6; its last column counts drops. */
export function dropsIn(table: string, bound: Endpoint): number | undefined {
  const from = table.indexOf(`: ${writtenAddress(bound)} `)
  if (from < 0) return undefined
  const drops = Number(table.slice(from, table.indexOf('\n', from)).trim().split(/\s+/).at(-1))
  return Number.isInteger(drops) ? drops : undefined
}
