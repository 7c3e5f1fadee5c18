// One filter on a connection that sensors share: who wants it, and what the broker knows of it. Pure data.

import { isShared, sharedFilter } from '../../../mqtt-topics.ts'
import { identifierOf } from './identifiers.ts'

export type Qos = 0 | 1 | 2

/** A SUBSCRIBE of a member that waits for the broker; `before`: what it had of this filter. */
export interface SubscribeRequest<M> {
  readonly member: M
  readonly token: number
  readonly qos: Qos
  readonly replay: boolean
  readonly before: Qos | undefined
}

/** One filter; `M`: a sensor. */
export interface Entry<M> {
  readonly filter: string
  /** what it matches: without the group of a shared subscription */
  readonly inner: string
  readonly isShared: boolean
  readonly identifier: number
  readonly subscribers: Map<M, Qos>
  /** what the broker has been asked for, and has granted; undefined: it does not know the filter */
  asked: Qos | undefined
  granted: Qos
  /** the connection broke before it answered: it may know the filter, at another QoS perhaps, though it is not `asked` for */
  isUnsure: boolean
  /** what it had before the SUBSCRIBE that is under way */
  askedBefore: Qos | undefined
  /** what is under way to the broker */
  busy: 'subscribe' | 'unsubscribe' | undefined
  /** requests that the SUBSCRIBE under way answers, and those for the next one */
  underWay: readonly SubscribeRequest<M>[]
  waiting: readonly SubscribeRequest<M>[]
  /** who is to get retained messages, and until when; Infinity before SUBACK */
  readonly audience: Map<M, number>
  /** retained messages that come until then were asked for by nobody */
  quietUntil: number
  /** the broker could not take it: not before the next connection, or the next request */
  isPostponed: boolean
}

/** A filter that nobody wants yet. */
export const createEntry = <M>(filter: string): Entry<M> => ({
  filter,
  inner: sharedFilter(filter),
  isShared: isShared(filter),
  identifier: identifierOf(filter),
  subscribers: new Map(),
  asked: undefined,
  granted: 0,
  isUnsure: false,
  askedBefore: undefined,
  busy: undefined,
  underWay: [],
  waiting: [],
  audience: new Map(),
  quietUntil: Number.NEGATIVE_INFINITY,
  isPostponed: false,
})

export const lowerOf = (a: Qos, b: Qos): Qos => (b < a ? b : a)

export const higherOf = (a: Qos | undefined, b: Qos): Qos => (a !== undefined && a > b ? a : b)
