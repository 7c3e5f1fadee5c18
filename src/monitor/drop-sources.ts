// Where what was dropped came from: a few addresses for each reason, so that none is dropped without a trace.

import { toWall } from '../clock.ts'
import type { DropEntry } from '../console/contract/happenings.ts'
import type { DiscardReason, Origin } from '../gateway/counters.ts'
import { describePeer } from '../session/peers.ts'

/** Addresses that are remembered of each reason: those that were noted last. */
const MOST = 100

/** Entries of one list. */
const MOST_LISTED = 500

/** Characters of a ClientId that are remembered. */
const LONGEST = 200

interface Source {
  from: Origin | undefined
  clientId: string | undefined
  readonly first: number
  last: number
  times: number
}

export interface DropSources {
  add(reason: DiscardReason, from: Origin | undefined, clientId: string | undefined): void
  /** latest first; of this reason, or of all */
  list(reason?: string): DropEntry[]
}

/** An empty list. What comes from one address for one reason is one entry, of whatever port. */
export function createDropSources(): DropSources {
  const reasons = new Map<string, Map<string, Source>>()
  return {
    add(reason, from, clientId) {
      let sources = reasons.get(reason)
      if (sources === undefined) {
        sources = new Map()
        reasons.set(reason, sources)
      }
      // the name first: thousands of sensors may have one address
      const key = (clientId ?? from?.address ?? '').slice(0, LONGEST)
      const now = performance.now()
      const known = sources.get(key)
      if (known === undefined) {
        if (sources.size >= MOST) removeOldest(sources)
        sources.set(key, { from, clientId: clientId?.slice(0, LONGEST), first: now, last: now, times: 1 })
        return
      }
      known.from = from ?? known.from
      known.last = now
      known.times += 1
    },
    list(wanted) {
      const entries: DropEntry[] = []
      for (const [reason, sources] of reasons) {
        if (wanted !== undefined && reason !== wanted) continue
        for (const source of sources.values()) entries.push(entryOf(reason, source))
      }
      return entries.sort((a, b) => b.at - a.at).slice(0, MOST_LISTED)
    },
  }
}

/** The one whose last time is longest ago. Only at an address that is new, of which a flood has few in a row. */
function removeOldest(sources: Map<string, Source>): void {
  let oldest: string | undefined
  let at = Number.POSITIVE_INFINITY
  for (const [key, { last }] of sources) if (last < at) [oldest, at] = [key, last]
  if (oldest !== undefined) sources.delete(oldest)
}

function entryOf(reason: string, { from, clientId, first, last, times }: Source): DropEntry {
  return {
    reason,
    at: toWall(last),
    firstAt: toWall(first),
    times,
    address: from === undefined ? undefined : addressOf(from),
    listener: from?.listener?.name,
    clientId,
  }
}

const addressOf = ({ address, port, nodeId }: Origin): string =>
  port === undefined ? address : describePeer({ address, port, nodeId })

/** One list of those of several gateways, latest first. */
export const mergeDrops = (lists: readonly (readonly DropEntry[])[]): DropEntry[] =>
  lists
    .flat()
    .sort((a, b) => b.at - a.at)
    .slice(0, MOST_LISTED)
