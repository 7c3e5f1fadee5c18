// The way of other nodes to one of several that serve: what they say to it can be cut, while it, they and the database live.

import { freePort } from '../../processes.ts'
import { TcpProxy } from '../../tcp-proxy.ts'

/** One for each node. */
export class LinkWay {
  /** where the node listens */
  readonly listen: string
  /** where others are told to go */
  readonly advertise: string
  readonly #proxy: TcpProxy

  private constructor(port: number, proxy: TcpProxy) {
    this.listen = `tcp://127.0.0.1:${port}`
    this.advertise = `tcp://127.0.0.1:${proxy.port}`
    this.#proxy = proxy
  }

  static async open(): Promise<LinkWay> {
    const port = await freePort()
    return new LinkWay(port, await TcpProxy.open(await freePort(), port))
  }

  /** Nothing comes through that other nodes have to say to it. */
  cut(): Promise<void> {
    return this.#proxy.set('silent')
  }

  /** One whose node has gone meanwhile stays as it is. */
  async mend(): Promise<void> {
    if (this.#proxy.mode === 'silent') await this.#proxy.set('open')
  }

  /** A port that nobody listens at refuses: that is what others take for a proof. */
  nodeIsGone(): Promise<void> {
    return this.#proxy.set('refused')
  }

  nodeStarts(): Promise<void> {
    return this.#proxy.set('open')
  }

  close(): Promise<void> {
    return this.#proxy.close()
  }
}
