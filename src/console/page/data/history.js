// The last quarter of an hour, second by second: rates are differences of the gateway's counters. The gateway itself
// remembers the last minutes of it, for a page that has just been opened.

const LIMIT = 900
/** seconds without a sample, after which a line is broken instead of drawn through */
const GAP = 5
const COLUMNS = [
  'at',
  'received',
  'sent',
  'published',
  'delivered',
  'dropped',
  'changes',
  'queued',
  'refused',
  'kernelDrops',
]
const RATES = ['received', 'sent', 'published', 'delivered', 'dropped']
const KEY = 'mqttsn.history'

const sum = (table) => Object.values(table).reduce((total, value) => total + value, 0)

const ratesBetween = (last, now, names, seconds = now.at - last.at) =>
  Object.fromEntries(names.map((name) => [name, Math.max(0, now[name] - last[name]) / seconds]))

export class History {
  #columns = Object.fromEntries(COLUMNS.map((name) => [name, []]))
  #drops = []
  #last
  #changes = 0
  #startedAt

  /** A sensor changed its state: counted into the next sample. */
  countChange() {
    this.#changes += 1
  }

  /** Takes a look at the gateway; `at` in milliseconds since 1970. */
  add(info, broker, listeners, at) {
    const { counters } = info
    const now = {
      at: at / 1000,
      received: counters.receivedDatagrams,
      sent: counters.sentDatagrams,
      published: counters.published,
      delivered: counters.delivered,
      dropped: sum(counters.dropped),
    }
    const last = this.#last
    const restarted = this.#startedAt !== undefined && this.#startedAt !== info.startedAt
    this.#startedAt = info.startedAt
    this.#last = now
    const changes = this.#changes
    this.#changes = 0
    this.#drops.push({ at: now.at, table: counters.dropped, restarted })
    while (this.#drops.length > 0 && this.#drops[0].at < now.at - 65) this.#drops.shift()
    if (restarted) this.#drops = this.#drops.slice(-1)
    if (last === undefined) return
    const seconds = now.at - last.at
    if (seconds < 0.2) {
      this.#last = last // too close for a rate: wait for the next
      this.#changes = changes
      return
    }
    if (restarted || seconds > GAP) {
      this.#push({ at: now.at })
      return
    }
    this.#push({
      ...ratesBetween(last, now, RATES),
      at: now.at,
      changes: changes / seconds,
      queued: info.queuedMessages,
      refused: broker?.refused,
      kernelDrops: listeners?.reduce((total, listener) => total + (listener.kernelDrops ?? 0), 0),
    })
  }

  #push(sample) {
    for (const name of COLUMNS) {
      const column = this.#columns[name]
      column.push(sample[name] ?? null)
      if (column.length > LIMIT) column.shift()
    }
  }

  /** Takes what the gateway remembers, in place of what the page itself saw meanwhile; `now` by the page's clock. */
  fill({ at, samples }, now) {
    const [first] = samples
    if (first === undefined) return
    const moment = (sample) => (sample.at + now - at) / 1000
    const from = moment(first)
    const until = moment(samples.at(-1))
    const own = this.#columns.at.map((_, i) =>
      Object.fromEntries(COLUMNS.map((name) => [name, this.#columns[name][i]])),
    )
    const before = own.filter((row) => row.at < from)
    if (before.length > 0 && from - before.at(-1).at > GAP) before.push({ at: from })
    const rows = samples.slice(1).map((sample, i) => {
      const seconds = (sample.at - samples[i].at) / 1000
      if (seconds <= 0 || seconds > GAP) return { at: moment(sample) }
      const { queued, refused } = sample
      const rates = ratesBetween(samples[i], sample, [...RATES, 'changes'], seconds)
      return { ...rates, at: moment(sample), queued, refused }
    })
    for (const name of COLUMNS) this.#columns[name] = []
    for (const row of [...before, ...rows, ...own.filter((row) => row.at > until)]) this.#push(row)
  }

  /** Columns for a plot, the first one the time in seconds. */
  columns(names) {
    return ['at', ...names].map((name) => this.#columns[name])
  }

  /** The latest value; undefined if there is none yet. */
  latest(name) {
    return this.#columns[name].at(-1) ?? undefined
  }

  /** How much a counter grew within the last `seconds`. */
  growth(name, seconds) {
    const { at } = this.#columns
    const values = this.#columns[name].filter(
      (value, i) => value !== null && at[i] >= (at.at(-1) ?? 0) - seconds,
    )
    return values.length === 0 ? 0 : Math.max(0, values.at(-1) - values[0])
  }

  /** What rates add up to within the last `seconds`. */
  volume(name, seconds) {
    const { at } = this.#columns
    return this.#columns[name].reduce(
      (total, value, i) => (at[i] >= (at.at(-1) ?? 0) - seconds ? total + (value ?? 0) : total),
      0,
    )
  }

  /** Drops of the last minute by reason, without those that did not grow. */
  drops() {
    const [first, last] = [this.#drops[0]?.table ?? {}, this.#drops.at(-1)?.table ?? {}]
    return Object.fromEntries(
      Object.entries(last)
        .map(([reason, times]) => [reason, times - (first[reason] ?? 0)])
        .filter(([, times]) => times > 0),
    )
  }

  /** Keeps it, and the last state changes, over a reload of the page. */
  save(changes) {
    try {
      sessionStorage.setItem(
        KEY,
        JSON.stringify({ startedAt: this.#startedAt, columns: this.#columns, changes }),
      )
    } catch {
      // no storage: the plots start empty next time
    }
  }

  /** What was saved, if anything; gives back the state changes. */
  load() {
    try {
      const { startedAt, columns, changes = [] } = JSON.parse(sessionStorage.getItem(KEY) ?? '{}')
      if (columns === undefined || COLUMNS.some((name) => !Array.isArray(columns[name]))) return []
      this.#columns = columns
      this.#startedAt = startedAt
      const at = columns.at.at(-1)
      if (at !== undefined && Date.now() / 1000 - at > GAP) this.#push({ at: at + 1 })
      return changes
    } catch {
      return [] // unreadable: start empty
    }
  }
}
