// Who was refused lately: one entry for each sender and reason, in a bounded list.

import { toWall } from '../clock.ts'
import { docsOf } from '../console/contract/docs.ts'
import type { RefusalEntry } from '../console/contract/happenings.ts'
import { EXPLANATIONS } from '../gateway/reports/refusal-texts.ts'
import { describePeer } from '../session/peers.ts'
import type { Refusal } from '../session/refusal.ts'

/** Entries that are remembered: those that were refused last. */
const MOST = 200

/** Characters of a ClientId and of what the broker said that are remembered. */
const LONGEST = 200

interface Remembered {
  readonly refusal: Refusal
  readonly first: number
  last: number
  times: number
}

export interface RecentRefusals {
  add(refusal: Refusal): void
  /** latest first */
  list(): RefusalEntry[]
}

/** An empty list. */
export function createRecentRefusals(): RecentRefusals {
  // a Map keeps the order of insertion: the latest come last
  const entries = new Map<string, Remembered>()
  return {
    add(refusal) {
      const { reason, peer, clientId } = refusal
      // a device that tries again comes from another port each time, and is the same one by its name
      const key = `${reason} ${peer.address} ${clientId === undefined ? '' : clientId.slice(0, LONGEST)}`
      const now = performance.now()
      const known = entries.get(key)
      entries.delete(key)
      entries.set(key, {
        refusal,
        first: known?.first ?? now,
        last: now,
        times: 1 + (known?.times ?? 0),
      })
      if (entries.size <= MOST) return
      for (const oldest of entries.keys()) {
        entries.delete(oldest)
        return
      }
    },
    list: () => [...entries.values()].reverse().map(entryOf),
  }
}

function entryOf({ refusal, first, last, times }: Remembered): RefusalEntry {
  const { reason, peer, clientId, returnCode, detail } = refusal
  const { text, next, key, subject } = EXPLANATIONS[reason]
  return {
    at: toWall(last),
    firstAt: toWall(first),
    times,
    reason,
    text,
    next,
    key,
    address: describePeer(peer),
    listener: peer.listener.name,
    clientId: clientId?.slice(0, LONGEST),
    returnCode,
    detail: detail?.slice(0, LONGEST),
    docs: docsOf(subject),
  }
}

/** One list of those of several gateways, latest first. */
export const mergeRefusals = (lists: readonly (readonly RefusalEntry[])[]): RefusalEntry[] =>
  lists
    .flat()
    .sort((a, b) => b.at - a.at)
    .slice(0, MOST)
