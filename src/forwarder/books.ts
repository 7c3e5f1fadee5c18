// What a forwarder counts: plain integers.

import type { MalformedReason } from '../codec/v1/messages.ts'
import type { DropReason } from '../session/events.ts'

/** Why something was discarded: the words of the gateway, where it has some. */
export type ForwardDrop =
  | `malformed: ${Extract<MalformedReason, 'empty' | 'length' | 'encapsulation'>}`
  /** a message of a node, longer than the gateway takes */
  | 'oversized'
  /** a message for a node, longer than its link takes */
  | Extract<DropReason, 'too-long'>
  /** from an address that may not send here */
  | Extract<DropReason, 'not-allowed'>
  /** the gateway cannot be reached */
  | Extract<DropReason, 'upstream-down'>
  /** the gateway said something that is neither for a node nor an answer to the forwarder */
  | Extract<DropReason, 'unasked'>
  /** for a node whose link was full for too long */
  | Extract<DropReason, 'queue-full'>
  /** for a node that was never heard here */
  | 'unknown-node'

/** Counts of one direction. */
export interface Passed {
  messages: number
  octets: number
}

/** Counts of one forwarder. */
export class ForwardBooks {
  /** from nodes to the gateway, without encapsulation */
  readonly up: Passed = { messages: 0, octets: 0 }
  /** from the gateway to nodes, without encapsulation */
  readonly down: Passed = { messages: 0, octets: 0 }
  readonly dropped: Partial<Record<ForwardDrop, number>> = {}
  /** SEARCHGW of nodes that were answered here */
  searches = 0

  drop(reason: ForwardDrop, times = 1): void {
    this.dropped[reason] = (this.dropped[reason] ?? 0) + times
  }
}
