// Subscriptions of a sensor, and what it asks of them [6.9]. Pure types.

import type { SparseMap } from '../sparse.ts'

/** A subscription, by its filter. The type and id say how the sensor wants to see the topic [SN-GPUB-14]. */
export interface Subscription {
  /** as asked for; the broker may grant less */
  readonly qos: 0 | 1 | 2
  readonly topicIdType: 'normal' | 'predefined' | 'short'
  /** 0 for a filter with wildcards */
  readonly topicId: number
}

/** A SUBSCRIBE or UNSUBSCRIBE that waits for the broker [6.9]. */
export interface Request {
  readonly type: 'subscribe' | 'unsubscribe'
  readonly msgId: number
  readonly filter: string
  readonly subscription: Subscription
  readonly token: number
  readonly deadline: number
  sent: boolean
}

/** What the sensor asks of its subscriptions. */
export interface Subscribing {
  /** by MsgId */
  readonly requests: SparseMap<number, Request>
  /** the last accepted SUBSCRIBE and its answer [SN-SUB-9] */
  lastAnswer: { readonly request: Request; readonly qos: 0 | 1 | 2; readonly at: number } | undefined
}
