// Begins to route datagrams between the nodes of a cluster; loaded only where every node serves its share.

import type { Links } from '../../cluster/links/links.ts'
import type { SlotOwners } from '../../cluster/owners.ts'
import type { EngineContact } from '../../cluster/shares/engine-contact.ts'
import type { RoutedFront } from './router-parts.ts'
import { SlotRouter } from './slot-router.ts'

/** What else is said over links. */
export interface LinkTalk {
  /** false: that is for somebody else */
  take(node: string, message: unknown): boolean
  link(node: string): void
  lose(node: string): void
}

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
  /** what consoles of several nodes say to each other */
  readonly talk?: readonly LinkTalk[]
  /** asks the others whether they have the engine */
  readonly contact?: EngineContact | undefined
  holds(): boolean
}

/** One for the life of a front. */
export function openRouter(place: RouterPlace, routed: RoutedFront): SlotRouter {
  const { node, cluster, version, listeners, hold, owners, links, talk = [], contact, holds } = place
  const router = new SlotRouter({ ...routed, self: node, owners, links, hold, holds })
  const isTaken = (from: string, message: unknown): boolean =>
    contact?.take(from, message) === true || talk.some((one) => one.take(from, message))
  links.begin({ cluster, node, version, listeners }, owners, {
    batch: (from, batch) => router.takeBatch(from, batch),
    message: (from, message) => isTaken(from, message) || router.takeMessage(from, message),
    changed(other, isUp) {
      if (!isUp) router.loseNode(other)
      for (const one of talk) isUp ? one.link(other) : one.lose(other)
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
