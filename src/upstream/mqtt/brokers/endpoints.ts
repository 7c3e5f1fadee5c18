// The brokers of the list, of which one is current: all connections of a gateway go to that one.

import type { UpstreamOptions } from '../../upstream.ts'
import { hostOf, type OpenStream, streams } from '../streams.ts'
import { LocalAddresses } from './local-addresses.ts'
import { Versions } from './versions.ts'
import { Ways } from './ways.ts'

/** One broker. */
export interface Endpoint {
  readonly url: string
  readonly open: OpenStream
  readonly ways: Ways
  readonly versions: Versions
}

/** Throws an Error if a URL or the shared certificates cannot be used. */
export class Endpoints {
  readonly #all: (Omit<Endpoint, 'open'> & { open: OpenStream })[]
  readonly #locals: LocalAddresses
  #index = 0

  constructor(options: UpstreamOptions) {
    const { version } = options
    const urls = urlsOf(options)
    if (urls.length === 0) throw new Error('there is no broker URL')
    this.#locals = new LocalAddresses(options)
    const now = options.now ?? (() => performance.now())
    this.#all = urls.map((url) => ({
      url,
      open: streams(url, options.tls),
      ways: new Ways(hostOf(url), this.#locals, now),
      versions: new Versions(version),
    }))
  }

  get current(): Endpoint {
    return this.#all[this.#index] as Endpoint
  }

  /** place of the current one in the list */
  get index(): number {
    return this.#index
  }

  /** attempts that found no local port */
  get portless(): number {
    return this.#locals.portless
  }

  /** all, in the order of the list */
  get all(): readonly Endpoint[] {
    return this.#all
  }

  /**
   * The current broker cannot be used: the next one of the list is current, or the first after the last. Returns whether it is
   * another broker.
   */
  advance(): boolean {
    this.#index = (this.#index + 1) % this.#all.length
    return this.#all.length > 1
  }

  /** The broker at this place of the list is current. */
  choose(index: number): void {
    this.#index = index
  }

  /** Other certificates and addresses of this machine from now on; throws an Error, with nothing changed, if they cannot be used. */
  renew(options: UpstreamOptions): void {
    const opened = urlsOf(options).map((url) => streams(url, options.tls))
    this.#locals.renew(options)
    for (const [i, endpoint] of this.#all.entries()) endpoint.open = opened[i] ?? endpoint.open
  }
}

const urlsOf = ({ url }: UpstreamOptions): readonly string[] => (typeof url === 'string' ? [url] : url)
