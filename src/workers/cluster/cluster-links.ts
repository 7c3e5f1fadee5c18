// The links of a node to the others and what goes over them, as the gateway has them; loaded only where every node serves its share.

import { Links } from '../../cluster/links/links.ts'
import { clusterOf, readLinkUrl } from '../../config/cluster/section.ts'
import type { Config } from '../../config/schema.ts'
import type { ClusterLinksInfo } from '../../console/contract/cluster.ts'
import type { Log } from '../../log.ts'
import { NodeCalls } from '../calls/node-calls.ts'
import { NodeWatches } from '../calls/node-watches.ts'
import { openRouter, type RouterPlace } from './open-router.ts'
import type { RoutedFront } from './router-parts.ts'
import type { SlotRouter } from './slot-router.ts'

/** What is known when the node has been opened. */
export type LinkedNode = Pick<RouterPlace, 'cluster' | 'version' | 'owners' | 'holds' | 'contact'>

export class ClusterLinks {
  readonly #config: Config
  readonly #links: Links
  /** requests of consoles */
  readonly calls: NodeCalls
  /** what consoles see live of sensors of other nodes */
  readonly watches: NodeWatches
  #router: SlotRouter | undefined
  #owners: LinkedNode['owners'] | undefined

  private constructor(config: Config, links: Links, log: Log) {
    this.#config = config
    this.#links = links
    const send = (node: string, message: object): boolean => {
      const link = links.to(node)
      link?.sendMessage(message)
      return link !== undefined
    }
    this.calls = new NodeCalls({ send, log })
    this.watches = new NodeWatches({ send, up: () => links.up() })
  }

  /** Listens for the other nodes; rejects with an Error that names the key to change. */
  static async listen(config: Config, log: Log): Promise<ClusterLinks> {
    const { listen = '', secret } = clusterOf(config)
    const address = readLinkUrl(listen) ?? { host: '127.0.0.1', port: 0 }
    try {
      return new ClusterLinks(config, await Links.listen(address, { secret, log }), log)
    } catch (error) {
      throw new Error(`cluster.listen: ${error instanceof Error ? error.message : error}`)
    }
  }

  /** the port in use */
  get port(): number {
    return this.#links.port
  }

  /** Begins to route datagrams of this front. */
  route(node: LinkedNode, routed: RoutedFront): SlotRouter {
    const { node: name, hold } = clusterOf(this.#config)
    const listeners = this.#config.listeners.map((listener) => listener.name)
    this.#owners = node.owners
    this.#router = openRouter(
      { ...node, node: name, hold, listeners, links: this.#links, talk: [this.calls, this.watches] },
      routed,
    )
    return this.#router
  }

  /** Tells nodes that the table of owners has changed. */
  tellChange(nodes: readonly string[]): void {
    for (const node of nodes) this.#links.to(node)?.sendMessage({ type: 'look' })
  }

  /** Why sensors should better come through another node; undefined: there is no reason. */
  get hindrance(): string | undefined {
    const members = this.#owners?.members().length ?? 0
    const linked = this.#links.up().length + 1
    if (2 * linked >= members) return undefined
    return `linked to ${linked - 1} of ${members - 1} other nodes only`
  }

  status(): ClusterLinksInfo {
    const { forwarded = 0, answered = 0, held = 0 } = this.#router?.counts ?? {}
    return {
      forwarded,
      answered,
      held,
      holding: this.#router?.holding ?? 0,
      asked: this.#router?.asked ?? 0,
      refused: this.#links.refused,
      lastRefused: this.#links.lastRefused,
      nodes: this.#links.states(),
      calls: this.calls.counts,
      unshown: this.watches.unshown,
    }
  }

  close(): void {
    this.#links.close()
  }
}
