// A line that may be given another url while the gateway runs: the old one is closed, then the new one is opened.

import { addStats, noStats } from '../tcp-server/sums.ts'
import type { LinkStats, Remote, Transport, TransportStats } from '../transport.ts'
import type { LineOptions } from './options.ts'

/** Pause until a line that could not be opened at all is tried again, doubling up to the longest. */
const SHORTEST = 1000
const LONGEST = 30_000

/** What of a line can change; see `LineOptions`. */
export type LineChange = Pick<LineOptions, 'url' | 'longest' | 'pace'>

const same = (a: LineChange, b: LineChange): boolean =>
  JSON.stringify([a.url, a.longest, a.pace]) === JSON.stringify([b.url, b.longest, b.pace])

export class ChangingLine implements Transport {
  readonly #open: (options: LineOptions) => Promise<Transport>
  #options: LineOptions
  /** undefined from when one is closed until the next one is there */
  #line: Transport | undefined
  /** of those before */
  #past: LinkStats = noStats
  #pastErrors = 0
  /** what was sent while there was none */
  #lost = 0
  #changing: Promise<void> = Promise.resolve()
  #retry: NodeJS.Timeout | undefined
  #isClosed = false

  /** `line` was opened with these options by `open`. */
  constructor(line: Transport, options: LineOptions, open: (options: LineOptions) => Promise<Transport>) {
    this.#line = line
    this.#options = options
    this.#open = open
  }

  get url(): string {
    return this.#line?.url ?? this.#options.url
  }

  get longest(): number | undefined {
    return this.#line?.longest
  }

  /** Goes over to this url, unless it is the same; resolves when that was tried. Never rejects: what fails is tried again. */
  change(next: LineChange): Promise<void> {
    if (!this.#isClosed && !same(next, this.#options)) {
      this.#options = { ...this.#options, ...next }
      this.#changing = this.#changing.then(() => this.#replace())
    }
    return this.#changing
  }

  send(bytes: Uint8Array, remote: Remote): void {
    if (this.#line === undefined) this.#lost += 1
    else this.#line.send(bytes, remote)
  }

  broadcast(bytes: Uint8Array, radius: number): void {
    this.#line?.broadcast(bytes, radius)
  }

  room(remote?: Remote): number {
    return this.#line?.room?.(remote) ?? Number.POSITIVE_INFINITY
  }

  stats(): TransportStats {
    const now = this.#line?.stats()
    const link = addStats(this.#past, now?.link ?? noStats)
    return {
      receiveBuffer: 0,
      receiveBufferAsked: 0,
      kernelDrops: undefined,
      sendErrors: this.#pastErrors + this.#lost + (now?.sendErrors ?? 0),
      link: {
        ...link,
        errors: { ...link.errors, away: link.errors.away + this.#lost },
        connections: now?.link?.connections,
      },
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    await this.#changing
    await this.#line?.close()
  }

  async #replace(): Promise<void> {
    clearTimeout(this.#retry)
    await this.#leave()
    await this.#enter(SHORTEST)
  }

  async #leave(): Promise<void> {
    const line = this.#line
    this.#line = undefined
    if (line === undefined) return
    await line.close()
    const { link = noStats, sendErrors } = line.stats()
    // what waits, and what is unreachable, has gone with it
    this.#past = {
      ...addStats(this.#past, link),
      ...{ up: false, queue: 0, unconfirmed: 0 },
      unreachable: noStats.unreachable,
    }
    this.#pastErrors += sendErrors
  }

  async #enter(pause: number): Promise<void> {
    if (this.#isClosed) return
    try {
      this.#line = await this.#open(this.#options)
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause))
      if (pause === SHORTEST) this.#options.onLine?.({ type: 'away', error })
      const again = () => {
        this.#changing = this.#changing.then(() => this.#enter(Math.min(2 * pause, LONGEST)))
      }
      if (!this.#isClosed) this.#retry = setTimeout(again, pause)
    }
  }
}
