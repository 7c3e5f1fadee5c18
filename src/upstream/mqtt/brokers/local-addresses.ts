// Addresses of this machine that connections to the broker go out from, in turn: each has some 28,000 ports, and no more.

import { isIP } from 'node:net'
import type { UpstreamLog, UpstreamOptions } from '../../upstream.ts'

/** How long an address without a free port is passed over, and one that cannot be used at all, milliseconds. */
const FULL = 1000
const UNUSABLE = 30_000

/** Shortest time between two log lines of one kind, milliseconds. */
const BETWEEN_LINES = 60_000

const NO_PORT = {
  text: 'no local port was left for a connection to the broker',
  remedy:
    'let broker.localAddresses hold more addresses of this machine, or widen net.ipv4.ip_local_port_range',
}
const NOT_USABLE = {
  text: 'connections to the broker cannot go out from this address: it is passed over',
  remedy: 'correct broker.localAddresses, or give this machine the address',
}

/** One for all connections of a gateway, to all brokers of its list. */
export class LocalAddresses {
  #all: readonly string[]
  #log: UpstreamLog
  readonly #now: () => number
  #turn = 0
  /** until when each is passed over */
  readonly #passedOver = new Map<string, number>()
  readonly #told = new Map<string, { at: number; times: number }>()
  /** attempts that found no local port */
  portless = 0

  constructor({ localAddresses = [], log, now = () => performance.now() }: UpstreamOptions) {
    this.#all = localAddresses
    this.#log = log
    this.#now = now
  }

  /** Other addresses for connections that are opened from now on. */
  renew({ localAddresses = [], log }: UpstreamOptions): void {
    this.#all = localAddresses
    this.#log = log
    this.#passedOver.clear()
  }

  /** there are none: the system chooses */
  get isEmpty(): boolean {
    return this.#all.length === 0
  }

  /** The one whose turn it is, of these families (4 and 6) where they are known; undefined if there is none. */
  next(families: ReadonlySet<number> | undefined): string | undefined {
    const { length } = this.#all
    let fallback: string | undefined
    for (let i = 0; i < length; i++) {
      const address = this.#all[(this.#turn + i) % length] ?? ''
      if (!fits(address, families)) continue
      fallback ??= address
      if (this.#isPassedOver(address)) continue
      this.#turn = (this.#turn + i + 1) % length
      return address
    }
    this.#turn = (this.#turn + 1) % Math.max(1, length)
    return fallback ?? this.#all[this.#turn]
  }

  /** Whether there is one that is not passed over. */
  hasOthers(families: ReadonlySet<number> | undefined): boolean {
    return this.#all.some((address) => fits(address, families) && !this.#isPassedOver(address))
  }

  /** An attempt found no port at this address; undefined: at that of the system's choice. */
  noteNoPort(address: string | undefined): void {
    this.portless += 1
    if (address !== undefined) this.#passedOver.set(address, this.#now() + FULL)
    this.#tell('no port', (times) => {
      this.#log.warn({ localAddress: address, times, remedy: NO_PORT.remedy }, NO_PORT.text)
    })
  }

  /** This machine does not have the address, or no way leads from it to the broker. */
  noteUnusable(address: string, reason: string): void {
    this.#passedOver.set(address, this.#now() + UNUSABLE)
    this.#tell(address, (times) => {
      this.#log.error({ localAddress: address, reason, times, remedy: NOT_USABLE.remedy }, NOT_USABLE.text)
    })
  }

  #isPassedOver(address: string): boolean {
    const until = this.#passedOver.get(address)
    return until !== undefined && this.#now() < until
  }

  /** One line a minute for each; `times` counts those since. */
  #tell(what: string, say: (times: number) => void): void {
    const told = this.#told.get(what)
    const now = this.#now()
    if (told !== undefined && now - told.at < BETWEEN_LINES) {
      told.times += 1
      return
    }
    say((told?.times ?? 0) + 1)
    this.#told.set(what, { at: now, times: 0 })
  }
}

const fits = (address: string, families: ReadonlySet<number> | undefined): boolean =>
  families === undefined || families.has(isIP(address))
