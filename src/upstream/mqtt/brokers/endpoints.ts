// The brokers of the list, of which one is current: all connections of a gateway go to that one.

import type { UpstreamOptions } from '../../upstream.ts'
import { type OpenStream, streams } from '../streams.ts'
import { Versions } from './versions.ts'

/** One broker. */
export interface Endpoint {
  readonly url: string
  readonly open: OpenStream
  readonly versions: Versions
}

/** Throws an Error if a URL or the shared certificates cannot be used. */
export class Endpoints {
  readonly #all: { readonly url: string; open: OpenStream; readonly versions: Versions; turn: number }[]
  #index = 0

  constructor(options: UpstreamOptions) {
    const { version } = options
    const urls = urlsOf(options)
    if (urls.length === 0) throw new Error('there is no broker URL')
    this.#all = this.#streamsOf(options).map((open, i) => ({
      url: urls[i] ?? '',
      open,
      versions: new Versions(version),
      turn: 0,
    }))
  }

  get current(): Endpoint {
    return this.#all[this.#index] as Endpoint
  }

  /** place of the current one in the list */
  get index(): number {
    return this.#index
  }

  /** all, in the order of the list */
  get all(): readonly Endpoint[] {
    return this.#all
  }

  /**
   * The current broker cannot be used: the next one of the list is current, or the first after the last. Where a name has
   * several addresses, the broker that is left is tried at another one the next time. Returns whether it is another broker.
   */
  advance(): boolean {
    const left = this.#all[this.#index]
    if (left !== undefined) left.turn += 1
    this.#index = (this.#index + 1) % this.#all.length
    return this.#all.length > 1
  }

  /** The broker at this place of the list is current. */
  choose(index: number): void {
    this.#index = index
  }

  /** Other certificates from now on; throws an Error, with nothing changed, if they cannot be used. */
  renew(options: UpstreamOptions): void {
    const opened = this.#streamsOf(options)
    for (const [i, endpoint] of this.#all.entries()) endpoint.open = opened[i] ?? endpoint.open
  }

  #streamsOf(options: UpstreamOptions): OpenStream[] {
    const { tls } = options
    return urlsOf(options).map((url, i) => streams(url, tls, () => this.#all?.[i]?.turn ?? 0))
  }
}

const urlsOf = ({ url }: UpstreamOptions): readonly string[] => (typeof url === 'string' ? [url] : url)
