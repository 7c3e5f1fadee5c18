// What a router of datagrams works with, and what it counts. Types only.

import type { LinkConnection } from '../../cluster/links/connection.ts'
import type { SlotOwners } from '../../cluster/owners.ts'
import type { DiscardBooks } from '../../gateway/counters.ts'
import type { SlotStates } from '../../sessions/ownership/slot-states.ts'
import type { RouterFront } from './router-front.ts'

/** The front that a router works for. */
export interface RoutedFront {
  readonly states: SlotStates
  slotOf(clientId: string): number
  readonly books: DiscardBooks
  readonly front: RouterFront
}

/** What a router works with. */
export interface RouterParts extends RoutedFront {
  /** the name of this node */
  readonly self: string
  readonly owners: SlotOwners
  readonly links: { to(node: string): LinkConnection | undefined; up(): readonly string[] }
  /** milliseconds; see `cluster.hold` */
  readonly hold: number
  /** whether this node may do anything at all */
  holds(): boolean
}

/** What goes over links, since the start. */
export interface RouterCounts {
  /** datagrams of sensors, to the nodes that serve them */
  forwarded: number
  /** datagrams to sensors, to the nodes that they came through */
  answered: number
  held: number
}
