// The addresses behind a broker's name: each has its turn, as they may be the brokers of a cluster, and one that does not answer is left
// to the last.

import { type LookupAddress, lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'

/** How long an address that did not answer is tried after the others, milliseconds; then one connection finds out more. */
const LEFT = 10_000

type OnFound = (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void

/** What is wrong if the name has addresses of another family only. */
export const WRONG_FAMILY = 'EAFNOSUPPORT'

/** One broker of those behind a name: how many connections to it are open. */
export interface Place {
  readonly address: string
  open: number
}

/** One name. */
export class BrokerName {
  readonly #now: () => number
  #waiting: OnFound[] | undefined
  #found: readonly LookupAddress[] = []
  /** until when each is tried last */
  readonly #left = new Map<string, number>()
  readonly #places = new Map<string, Place>()
  #turn = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** 4 and 6, as it had them last; undefined before it was looked up */
  get families(): ReadonlySet<number> | undefined {
    return this.#found.length === 0 ? undefined : new Set(this.#found.map(({ family }) => family))
  }

  /**
   * As `dns.lookup`; `onFirst` is told what is tried first. Whoever asks while a lookup is under way gets what that one finds: each
   * occupies one of the few threads that the store needs, too, for seconds where no name server answers.
   */
  find(onFirst: (address: string) => void, ...[name, options, callback]: Parameters<LookupFunction>): void {
    const answer: OnFound = (error, found) => {
      const addresses = error ? [] : this.#inTurn(found, Number(options.family) || 0)
      const [first] = addresses
      if (first !== undefined) onFirst(first.address)
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

  /** A connection to this address is open, and counts there; undefined where the name has no other. */
  arriveAt(address: string): Place | undefined {
    this.#left.delete(address)
    if (this.#found.length < 2 && this.#places.size === 0) return undefined
    let place = this.#places.get(address)
    if (place === undefined) {
      for (const [old, { open }] of this.#places) if (open === 0) this.#places.delete(old)
      place = { address, open: 0 }
      this.#places.set(address, place)
    }
    place.open += 1
    return place
  }

  /** This address did not answer. Returns whether there is another one to try. */
  leave(address: unknown): boolean {
    const left = this.#found.find((one) => one.address === address)
    if (left === undefined) return false
    const now = this.#now()
    this.#left.set(left.address, now + LEFT)
    return this.#found.some(({ address, family }) => family === left.family && !this.#isLeft(address, now))
  }

  /** Of these, those of the wanted family (0: any): the next of the family that the system prefers, then the others. */
  #inTurn(found: readonly LookupAddress[], wanted: number): LookupAddress[] {
    const now = this.#now()
    const fitting = found.filter(({ family }) => wanted === 0 || family === wanted)
    const isGood = ({ address, family }: LookupAddress): boolean =>
      family === fitting[0]?.family && !this.#isLeft(address, now)
    const good = fitting.filter(isGood)
    const start = good.length > 0 ? this.#turn++ % good.length : 0
    const others = fitting.filter((one) => !isGood(one))
    others.sort((a, b) => (this.#left.get(a.address) ?? 0) - (this.#left.get(b.address) ?? 0))
    const inTurn = [...good.slice(start), ...good.slice(0, start), ...others]
    const [first] = inTurn
    // one connection at a time finds out whether it answers again
    if (first !== undefined && this.#left.has(first.address)) this.#left.set(first.address, now + LEFT)
    return inTurn
  }

  #isLeft(address: string, now: number): boolean {
    return now < (this.#left.get(address) ?? 0)
  }
}

const wrongFamily = (name: string): Error =>
  Object.assign(new Error(`${name} has no address of the family of this one of broker.localAddresses`), {
    code: WRONG_FAMILY,
  })
