// The last quarter of an hour, second by second: rates are differences of the gateway's counters. The gateway itself
// remembers the last minutes of it, for a page that has just been opened. Pure.

import type { BrokerInfo, GatewayInfo, HistoryReport, ListenerInfo } from '../../contract/gateway.ts'

const LIMIT = 900
/** seconds without a sample, after which a line is broken instead of drawn through */
const GAP = 5
/** seconds for which drops are known by reason */
const DROPS_FOR = 300
const RATES = ['received', 'sent', 'published', 'delivered', 'dropped'] as const
const COLUMNS = ['at', ...RATES, 'changes', 'queued', 'refused', 'losses', 'refusals', 'kernelDrops'] as const

type RateName = (typeof RATES)[number]
/** What can be plotted. */
export type ColumnName = (typeof COLUMNS)[number]
/** The value of each second; null: a gap. */
export type Column = (number | null)[]
type Columns = Record<ColumnName, Column>
type Row = { readonly at: number } & { readonly [Name in ColumnName]?: number | null | undefined }
type Totals = Readonly<Record<RateName, number>> & { readonly at: number }

/** What outlives a reload of the page. */
export interface SavedHistory {
  readonly startedAt: number | undefined
  readonly columns: Columns
}

const sum = (table: Readonly<Record<string, number>>) =>
  Object.values(table).reduce((total, value) => total + value, 0)
const emptyColumns = () => Object.fromEntries(COLUMNS.map((name) => [name, []])) as unknown as Columns

/** By how much each of these grew in a second. */
const ratesBetween = <Name extends string>(
  last: Readonly<Record<Name, number>>,
  now: Readonly<Record<Name, number>>,
  names: readonly Name[],
  seconds: number,
) =>
  Object.fromEntries(names.map((name) => [name, Math.max(0, now[name] - last[name]) / seconds])) as Record<
    Name,
    number
  >

export class History {
  #columns = emptyColumns()
  #drops: { at: number; table: Readonly<Record<string, number>> }[] = []
  #last: Totals | undefined
  #changes = 0
  #startedAt: number | undefined

  /** A sensor changed its state: counted into the next sample. */
  countChange(): void {
    this.#changes += 1
  }

  /** Takes a look at the gateway; `at` in milliseconds since 1970. */
  add(
    info: GatewayInfo,
    broker: BrokerInfo | undefined,
    listeners: readonly ListenerInfo[] | undefined,
    at: number,
  ): void {
    const { counters } = info
    const now: Totals = {
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
    this.#drops.push({ at: now.at, table: counters.dropped })
    while ((this.#drops[0]?.at ?? now.at) < now.at - DROPS_FOR) this.#drops.shift()
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
      ...ratesBetween(last, now, RATES, seconds),
      at: now.at,
      changes: changes / seconds,
      queued: info.queuedMessages,
      refused: broker?.refused,
      losses: sum(counters.losses),
      refusals: sum(counters.refusals),
      kernelDrops: listeners?.reduce((total, listener) => total + (listener.kernelDrops ?? 0), 0),
    })
  }

  #push(row: Row): void {
    for (const name of COLUMNS) {
      const column = this.#columns[name]
      column.push(row[name] ?? null)
      if (column.length > LIMIT) column.shift()
    }
  }

  /** Takes what the gateway remembers, in place of what the page itself saw meanwhile; `now` by the page's clock. */
  fill({ at, samples }: HistoryReport, now: number): void {
    const [first] = samples
    const final = samples.at(-1)
    if (first === undefined || final === undefined) return
    const moment = (sample: { at: number }) => (sample.at + now - at) / 1000
    const [from, until] = [moment(first), moment(final)]
    this.#drops = [
      ...samples.map((one) => ({ at: moment(one), table: one.droppedBy })),
      ...this.#drops.filter((one) => one.at > until),
    ]
    const own = this.#columns.at.map(
      (value, i) =>
        ({
          ...Object.fromEntries(COLUMNS.map((name) => [name, this.#columns[name][i]])),
          at: value ?? 0,
        }) as Row,
    )
    const before = own.filter((row) => row.at < from)
    const latest = before.at(-1)
    if (latest !== undefined && from - latest.at > GAP) before.push({ at: from })
    const rows: Row[] = samples.slice(1).map((sample, i) => {
      const previous = samples[i] ?? first
      const seconds = (sample.at - previous.at) / 1000
      if (seconds <= 0 || seconds > GAP) return { at: moment(sample) }
      const { queued, refused, losses, refusals, kernelDrops } = sample
      const rates = ratesBetween(previous, sample, [...RATES, 'changes'], seconds)
      return { ...rates, at: moment(sample), queued, refused, losses, refusals, kernelDrops }
    })
    this.#columns = emptyColumns()
    for (const row of [...before, ...rows, ...own.filter((row) => row.at > until)]) this.#push(row)
  }

  /** Columns for a plot, the first one the time in seconds. */
  columns(names: readonly ColumnName[]): Column[] {
    return [this.#columns.at, ...names.map((name) => this.#columns[name])]
  }

  /** The latest value; undefined if there is none yet. */
  latest(name: ColumnName): number | undefined {
    return this.#columns[name].at(-1) ?? undefined
  }

  /** The values of the last `seconds` that are known. */
  #within(name: ColumnName, seconds: number): number[] {
    const { at } = this.#columns
    const since = (at.at(-1) ?? 0) - seconds
    return this.#columns[name].filter((value, i): value is number => value !== null && (at[i] ?? 0) >= since)
  }

  /** How much a counter grew within the last `seconds`. */
  growth(name: ColumnName, seconds: number): number {
    const values = this.#within(name, seconds)
    return Math.max(0, (values.at(-1) ?? 0) - (values[0] ?? 0))
  }

  /** What rates add up to within the last `seconds`. */
  volume(name: ColumnName, seconds: number): number {
    return this.#within(name, seconds).reduce((total, value) => total + value, 0)
  }

  /** Drops of the last five minutes by reason, without those that did not grow. */
  drops(): Record<string, number> {
    const [first, last] = [this.#drops[0]?.table ?? {}, this.#drops.at(-1)?.table ?? {}]
    return Object.fromEntries(
      Object.entries(last)
        .map(([reason, times]) => [reason, times - (first[reason] ?? 0)] as const)
        .filter(([, times]) => times > 0),
    )
  }

  /** What to keep over a reload of the page. */
  saved(): SavedHistory {
    return { startedAt: this.#startedAt, columns: this.#columns }
  }

  /** Goes on from what was saved; what is not a history is left alone. `now` in milliseconds. */
  restore({ startedAt, columns }: Partial<SavedHistory>, now: number): void {
    if (columns === undefined || COLUMNS.some((name) => !Array.isArray(columns[name]))) return
    this.#columns = columns
    this.#startedAt = startedAt
    const at = columns.at.at(-1)
    if (typeof at === 'number' && now / 1000 - at > GAP) this.#push({ at: at + 1 })
  }
}
