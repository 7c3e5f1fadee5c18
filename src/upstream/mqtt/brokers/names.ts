// The addresses behind a broker's name.

import { type LookupAddress, lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'

/** How long an address where nothing listens is tried after the others, milliseconds. */
const GONE = 5000

type OnFound = (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void

/** What is wrong if the name has addresses of another family only. */
export const WRONG_FAMILY = 'EAFNOSUPPORT'

/** One name. */
export class BrokerName {
  readonly #now: () => number
  #waiting: OnFound[] | undefined
  #found: readonly LookupAddress[] = []
  /** until when each is tried last */
  readonly #gone = new Map<string, number>()
  /** which of the addresses is tried first; the others follow where nothing listens there */
  turn = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** 4 and 6, as it had them last; undefined before it was looked up */
  get families(): ReadonlySet<number> | undefined {
    return this.#found.length === 0 ? undefined : new Set(this.#found.map(({ family }) => family))
  }

  /**
   * As `dns.lookup`. It begins with another address at each turn: a broker may accept connections and yet not answer. Whoever
   * asks while a lookup is under way gets what that one finds: each occupies one of the few threads that the store needs, too, for
   * seconds where no name server answers.
   */
  readonly lookup: LookupFunction = (name, options, callback) => {
    const answer: OnFound = (error, found) => {
      const addresses = error ? [] : this.#inTurn(found, Number(options.family) || 0)
      const [first] = addresses
      if (error || options.all === true) callback(error, addresses)
      else if (first === undefined) callback(wrongFamily(name), '')
      else callback(null, first.address, first.family)
    }
    if (this.#waiting !== undefined) return void this.#waiting.push(answer)
    this.#waiting = [answer]
    lookup(name, { ...options, family: 0, all: true }, (error, found) => {
      const all = this.#waiting ?? []
      this.#waiting = undefined
      if (!error) this.#found = found
      for (const each of all) each(error, found)
    })
  }

  /** Nothing listens at this address. Returns whether there is another one to try. */
  hasOther(than: unknown): boolean {
    const left = this.#found.find(({ address }) => address === than)
    if (left === undefined) return false
    const now = this.#now()
    this.#gone.set(left.address, now + GONE)
    return this.#found.some(({ address, family }) => family === left.family && !this.#isGone(address, now))
  }

  #inTurn(found: readonly LookupAddress[], wanted: number): LookupAddress[] {
    const start = found.length > 0 ? this.turn % found.length : 0
    const now = this.#now()
    return [...found.slice(start), ...found.slice(0, start)]
      .filter(({ family }) => wanted === 0 || family === wanted)
      .sort((a, b) => Number(this.#isGone(a.address, now)) - Number(this.#isGone(b.address, now)))
  }

  #isGone(address: string, now: number): boolean {
    const until = this.#gone.get(address)
    if (until !== undefined && now >= until) this.#gone.delete(address)
    return until !== undefined && now < until
  }
}

const wrongFamily = (name: string): Error =>
  Object.assign(new Error(`${name} has no address of the family of this one of broker.localAddresses`), {
    code: WRONG_FAMILY,
  })
