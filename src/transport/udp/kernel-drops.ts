// Datagrams that the kernel threw away because the receive buffer was full, read from Linux's /proc.

import type { Endpoint } from '../address.ts'
import { readTable, writtenAddress } from './proc-table.ts'

/** How long a count holds, milliseconds. */
const FRESH = 1000
/**
 * How much longer than it took a look has to rest: the system writes a line per socket of the whole machine for each, which takes
 * long where there are thousands. So looks never take more than half a percent of a core.
 */
const REST = 200

/** What the counts are read with. */
export interface DropSight {
  /** milliseconds */
  now(): number
  /** the system's table */
  read(family: Endpoint['family']): string
}

const sight: DropSight = { now: () => performance.now(), read: readTable }

/** The last look at each address; only as long as its transport lives. */
const looks = new WeakMap<Endpoint, { readonly until: number; readonly drops: number | undefined }>()

/**
 * Kernel drops of the socket bound to an address since it was opened, a second old at most, or 200 times as old as the look took;
 * undefined if the system does not tell.
 */
export const kernelDrops = (bound: Endpoint, by = sight): number | undefined => totalKernelDrops([bound], by)

/** The same for several sockets together, of which the system is asked once; undefined if it tells of none. */
export function totalKernelDrops(
  bound: Iterable<Endpoint>,
  { now, read }: DropSight = sight,
): number | undefined {
  const tables: { [family in Endpoint['family']]?: string } = {}
  const readOnce = (family: Endpoint['family']): string => {
    tables[family] ??= read(family)
    return tables[family]
  }
  const start = now()
  const fresh: [Endpoint, number | undefined][] = []
  let total: number | undefined
  for (const each of bound) {
    const last = looks.get(each)
    const isFresh = last !== undefined && start < last.until
    const drops = isFresh ? last.drops : look(each, readOnce)
    if (!isFresh) fresh.push([each, drops])
    if (drops !== undefined) total = (total ?? 0) + drops
  }
  if (fresh.length === 0) return total
  const end = now()
  const until = Math.max(start + FRESH, end + REST * (end - start))
  for (const [each, drops] of fresh) looks.set(each, { until, drops })
  return total
}

function look(bound: Endpoint, read: DropSight['read']): number | undefined {
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
