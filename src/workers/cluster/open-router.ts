// Begins to route datagrams between the nodes of a cluster; loaded only where every node serves its share.

import type { Links } from '../../cluster/links/links.ts'
import type { SlotOwners } from '../../cluster/owners.ts'
import type { EngineContact } from '../../cluster/shares/engine-contact.ts'
import type { NodeCalls } from '../calls/node-calls.ts'
import type { RoutedFront } from './router-parts.ts'
import { SlotRouter } from './slot-router.ts'

/** What else is needed. */
export interface RouterPlace {
  /** of this node */
  readonly node: string
  /** tells this cluster from others */
  readonly cluster: string
  /** the program's */
  readonly version: string
  /** the names of listeners, in order */
  readonly listeners: readonly string[]
  /** milliseconds; see `cluster.hold` */
  readonly hold: number
  readonly owners: SlotOwners
  readonly links: Links
  /** requests of consoles; undefined: there are none */
  readonly calls?: Pick<NodeCalls, 'take' | 'lose'>
  /** asks the others whether they have the engine */
  readonly contact?: EngineContact | undefined
  holds(): boolean
}

/** One for the life of a front. */
export function openRouter(place: RouterPlace, routed: RoutedFront): SlotRouter {
  const { node, cluster, version, listeners, hold, owners, links, calls, contact, holds } = place
  const router = new SlotRouter({ ...routed, self: node, owners, links, hold, holds })
  const isTaken = (from: string, message: unknown): boolean =>
    contact?.take(from, message) === true || calls?.take(from, message) === true
  links.begin({ cluster, node, version, listeners }, owners, {
    batch: (from, batch) => router.takeBatch(from, batch),
    message: (from, message) => isTaken(from, message) || router.takeMessage(from, message),
    changed(other, isUp) {
      if (!isUp) {
        router.loseNode(other)
        calls?.lose(other)
      }
      router.settle()
    },
  })
  owners.onChange(() => router.settle())
  contact?.begin({
    up: () => links.up(),
    send: (to, message) => links.to(to)?.sendMessage(message),
  })
  return router
}
