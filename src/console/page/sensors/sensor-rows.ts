// The sensors of a list, fetched in blocks as they come into view, sorted and searched by the gateway.

import type { StateChange } from '../../contract/live.ts'
import type { SensorList, SensorQuery, SensorSummary } from '../../contract/sensors.ts'
import type { ApiError } from '../data/api.ts'

const BLOCK = 100
/** blocks that are kept; those seen longest ago go first */
const MOST_BLOCKS = 60

/** A sensor of the list; `changedAt`: an event told of a new state, which the list itself has not. */
export type SensorRow = SensorSummary & { readonly changedAt?: number }
/** What is searched for, in which order. */
export type ListQuery = Omit<SensorQuery, 'offset' | 'limit'>

interface Block {
  items: SensorRow[]
  stale: boolean
}

interface Callbacks {
  fetch(query: SensorQuery, signal: AbortSignal): Promise<SensorList>
  /** rows or their number have changed */
  onRows(): void
  /** they could not be fetched; undefined: now they could */
  onError(error: ApiError | undefined): void
}

export class SensorRows {
  /** undefined until the first answer */
  total: number | undefined
  readonly #callbacks: Callbacks
  #query: ListQuery = {}
  readonly #blocks = new Map<number, Block>()
  readonly #pending = new Map<number, Promise<void>>()
  #abort = new AbortController()

  constructor(callbacks: Callbacks) {
    this.#callbacks = callbacks
  }

  /** Begins anew with another query. Old rows stay until the new ones come. */
  ask(query: ListQuery, first: number, last: number): Promise<void> {
    this.#query = query
    this.#abort.abort()
    this.#abort = new AbortController()
    this.#pending.clear()
    for (const block of this.#blocks.values()) block.stale = true
    return this.need(first, last)
  }

  at(index: number): SensorRow | undefined {
    return this.#blocks.get(Math.floor(index / BLOCK))?.items[index % BLOCK]
  }

  /** Index of a sensor among the rows that are here; -1 if it is not. */
  indexOf(clientId: string): number {
    for (const [number, { items }] of this.#blocks) {
      const found = items.findIndex((item) => item.clientId === clientId)
      if (found !== -1) return number * BLOCK + found
    }
    return -1
  }

  /** Fetches what is missing or stale between two rows; `refresh` fetches all of it. */
  async need(first: number, last: number, refresh = false): Promise<void> {
    const wanted: Promise<void>[] = []
    for (let number = Math.floor(first / BLOCK); number <= Math.floor(last / BLOCK); number++) {
      const block = this.#blocks.get(number)
      if (this.#pending.has(number) || (!refresh && block !== undefined && !block.stale)) continue
      const fetching = this.#fetch(number).finally(() => {
        if (this.#pending.get(number) === fetching) this.#pending.delete(number)
      })
      this.#pending.set(number, fetching)
      wanted.push(fetching)
    }
    await Promise.all(wanted)
  }

  async #fetch(number: number): Promise<void> {
    const { signal } = this.#abort
    try {
      const query = { ...this.#query, offset: number * BLOCK, limit: BLOCK }
      const { total, items } = await this.#callbacks.fetch(query, signal)
      if (signal.aborted) return
      this.total = total
      this.#blocks.delete(number) // the latest come last
      this.#blocks.set(number, { items: [...items], stale: false })
      const most = Math.ceil(total / BLOCK)
      for (const [other, { stale }] of this.#blocks) if (stale || other >= most) this.#blocks.delete(other)
      for (const oldest of this.#blocks.keys()) {
        if (this.#blocks.size <= MOST_BLOCKS) break
        this.#blocks.delete(oldest)
      }
      this.#callbacks.onError(undefined)
      this.#callbacks.onRows()
    } catch (error) {
      if (!signal.aborted) this.#callbacks.onError(error as ApiError)
    }
  }

  /** A sensor changed its state: shown at once, wherever it stands; the order follows with the next answer. */
  change({ clientId, to, at }: StateChange): void {
    const index = this.indexOf(clientId)
    const items = this.#blocks.get(Math.floor(index / BLOCK))?.items
    const item = items?.[index % BLOCK]
    if (items === undefined || item === undefined) return
    items[index % BLOCK] = { ...item, state: to, changedAt: at }
    this.#callbacks.onRows()
  }

  close(): void {
    this.#abort.abort()
  }
}
