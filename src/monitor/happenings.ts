// What has happened that a person wants to know of: losses, refusals, the broker, reloads, dead letters. A bounded list of each
// kind, so that a flood of one leaves the others alone; for pages that are opened afterwards.

import type {
  Happening,
  HappeningBatch,
  HappeningKind,
  HappeningList,
  HappeningQuery,
  Tone,
} from '../console/contract/happenings.ts'

/** Events of each kind that are remembered. */
const MOST: Readonly<Record<HappeningKind, number>> = {
  lost: 5000,
  refused: 1000,
  contested: 500,
  dropped: 1000,
  'dead-letter': 1000,
  broker: 500,
  reload: 200,
  gateway: 200,
}

/** Within so many milliseconds since the first time, the same is one event. */
const SAME = 60_000

/** Milliseconds between two batches, and events in one. */
const BATCH = 500
const MOST_IN_BATCH = 200

/** Characters of what others have sent or said that are remembered. */
const LONGEST = 200

/** What is told of an event. */
export interface Note {
  readonly kind: HappeningKind
  readonly tone: Tone
  readonly text: string
  readonly clientId?: string | undefined
  readonly address?: string | undefined
  readonly reason?: string | undefined
  readonly detail?: string | undefined
  readonly key?: string | undefined
  readonly docs?: string | undefined
  /** what has the same one within a minute is one event; absent: each is its own */
  readonly same?: string
}

export interface Happenings {
  note(note: Note): void
  list(query: HappeningQuery): HappeningList
  /** Calls back twice a second at most, until the returned function is called. */
  onBatch(listener: (batch: HappeningBatch) => void): () => void
}

type Entry = { -readonly [Field in keyof Happening]: Happening[Field] }

/** An empty list; `prefix` tells the events of several gateways apart. */
export function createHappenings(prefix = '', now: () => number = Date.now): Happenings {
  const kinds = new Map<HappeningKind, Map<string, Entry>>()
  const listeners = new Set<(batch: HappeningBatch) => void>()
  const fresh = new Set<Entry>()
  let more = 0
  let last = 0
  let timer: NodeJS.Timeout | undefined

  function announce(entry: Entry): void {
    if (listeners.size === 0) return
    if (fresh.size < MOST_IN_BATCH || fresh.has(entry)) fresh.add(entry)
    else more += 1
    timer ??= setTimeout(flush, BATCH).unref()
  }

  function flush(): void {
    timer = undefined
    const batch = { items: [...fresh].map((entry) => ({ ...entry })), more }
    fresh.clear()
    more = 0
    for (const listener of listeners) listener(batch)
  }

  return {
    note({ kind, same, clientId, detail, text, tone, address, reason, key, docs }) {
      const at = now()
      const all = kinds.get(kind) ?? new Map<string, Entry>()
      kinds.set(kind, all)
      const name = same ?? `#${last + 1}`
      const known = all.get(name)
      const isSame = known !== undefined && at - known.firstAt < SAME
      const entry: Entry = isSame ? known : { ...empty, id: `${prefix}${++last}`, kind, firstAt: at }
      const told = { at, times: entry.times + 1, tone, text, address, reason, key, docs }
      Object.assign(entry, told, { clientId: clientId?.slice(0, LONGEST), detail: detail?.slice(0, LONGEST) })
      if (known !== undefined) all.delete(name) // the latest come last
      if (known !== undefined && !isSame) all.set(`#${known.id}`, known)
      all.set(name, entry)
      if (all.size > MOST[kind])
        for (const oldest of all.keys()) {
          all.delete(oldest)
          break
        }
      announce(entry)
    },
    list(query) {
      const wanted = query.kind === undefined ? [...kinds.values()] : [kinds.get(query.kind) ?? new Map()]
      const found = wanted.flatMap((all) => [...all.values()].reverse().filter((one) => fits(one, query)))
      found.sort(byTime)
      const { offset, limit } = query
      return { total: found.length, items: found.slice(offset, offset + limit).map((one) => ({ ...one })) }
    },
    onBatch(listener) {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        clearTimeout(timer)
        timer = undefined
        fresh.clear()
        more = 0
      }
    },
  }
}

const empty = { times: 0, tone: 'note', text: '', at: 0 } as Entry

/** Latest first. */
const byTime = (a: Happening, b: Happening): number => b.at - a.at

/** Whether an event is among those that are asked for. */
function fits(
  one: Happening,
  { sensor, search = '', since = 0, until = Number.POSITIVE_INFINITY }: HappeningQuery,
): boolean {
  if (sensor !== undefined && one.clientId !== sensor) return false
  if (one.at < since || one.at > until) return false
  const wanted = search.toLowerCase()
  return (
    wanted === '' ||
    [one.clientId, one.address, one.text, one.detail].some((text) => text?.toLowerCase().includes(wanted))
  )
}

/** One list of those of several gateways, each asked from the beginning to the end of what is wanted. */
export function mergeHappenings(
  lists: readonly HappeningList[],
  { offset, limit }: HappeningQuery,
): HappeningList {
  const total = lists.reduce((sum, list) => sum + list.total, 0)
  const items = lists.flatMap(({ items }) => items).sort(byTime)
  return { total, items: items.slice(offset, offset + limit) }
}
