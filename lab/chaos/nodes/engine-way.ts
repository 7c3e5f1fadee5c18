// The way of one node to the database, which can be cut while other nodes keep theirs.

import type { PostgresEngine } from '../../postgres/engine.ts'
import { freePort } from '../../processes.ts'
import { type ProxyMode, TcpProxy } from '../../tcp-proxy.ts'

/** One for each node. */
export class EngineWay {
  /** for the node's configuration */
  readonly url: string
  readonly #proxies: readonly TcpProxy[]

  private constructor(url: string, proxies: readonly TcpProxy[]) {
    this.url = url
    this.#proxies = proxies
  }

  static async open(engine: PostgresEngine): Promise<EngineWay> {
    const proxies: TcpProxy[] = []
    for (const { port } of engine.servers) proxies.push(await TcpProxy.open(await freePort(), port))
    return new EngineWay(engine.urlThrough(proxies.map(({ port }) => port)), proxies)
  }

  /** To all servers of it. */
  async set(mode: ProxyMode): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.set(mode)))
  }

  async close(): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.close()))
  }
}
