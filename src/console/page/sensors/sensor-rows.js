// The sensors of a list, fetched in blocks as they come into view, sorted and searched by the gateway.

const BLOCK = 100
/** blocks that are kept; those seen longest ago go first */
const MOST_BLOCKS = 60

/** `onRows` is called when rows or their number have changed, `onError` with an error or undefined. */
export class SensorRows {
  /** undefined until the first answer */
  total
  #api
  #onRows
  #onError
  #query = {}
  #blocks = new Map()
  #pending = new Map()
  #abort = new AbortController()

  constructor(api, onRows, onError) {
    this.#api = api
    this.#onRows = onRows
    this.#onError = onError
  }

  /** Begins anew with `{ search, state, sort, descending }`. Old rows stay until the new ones come. */
  ask(query, first, last) {
    this.#query = query
    this.#abort.abort()
    this.#abort = new AbortController()
    this.#pending.clear()
    for (const block of this.#blocks.values()) block.stale = true
    return this.need(first, last)
  }

  at(index) {
    return this.#blocks.get(Math.floor(index / BLOCK))?.items[index % BLOCK]
  }

  /** Index of a sensor among the rows that are here; -1 if it is not. */
  indexOf(clientId) {
    for (const [number, { items }] of this.#blocks) {
      const found = items.findIndex((item) => item.clientId === clientId)
      if (found !== -1) return number * BLOCK + found
    }
    return -1
  }

  /** Fetches what is missing or stale between two rows; `refresh` fetches all of it. */
  async need(first, last, refresh = false) {
    const wanted = []
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

  async #fetch(number) {
    const { signal } = this.#abort
    try {
      const { total, items } = await this.#api.sensors(
        { ...this.#query, offset: number * BLOCK, limit: BLOCK },
        signal,
      )
      if (signal.aborted) return
      this.total = total
      this.#blocks.delete(number) // the latest come last
      this.#blocks.set(number, { items, stale: false })
      const most = Math.ceil(total / BLOCK)
      for (const [other, { stale }] of this.#blocks) if (stale || other >= most) this.#blocks.delete(other)
      for (const oldest of this.#blocks.keys()) {
        if (this.#blocks.size <= MOST_BLOCKS) break
        this.#blocks.delete(oldest)
      }
      this.#onError(undefined)
      this.#onRows()
    } catch (error) {
      if (!signal.aborted) this.#onError(error)
    }
  }

  /** A sensor changed its state: shown at once, wherever it stands; the order follows with the next answer. */
  change({ clientId, to, at }) {
    const index = this.indexOf(clientId)
    if (index === -1) return
    const { items } = this.#blocks.get(Math.floor(index / BLOCK))
    items[index % BLOCK] = { ...items[index % BLOCK], state: to, changedAt: at }
    this.#onRows()
  }

  close() {
    this.#abort.abort()
  }
}
