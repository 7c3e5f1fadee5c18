// One sensor's session: all that the gateway knows of it, as plain data. Pure.

import type { Packet } from '../codec/v1/messages.ts'
import type { BrokerLimits, DropReason, Peer, QueuedMessage, State } from './events.ts'
import type { Env, Policy, Turn } from './policy.ts'
import { SparseMap, SparseSet } from './sparse.ts'
import { maySend } from './states.ts'
import { createTopics, type Topics } from './topics/registry.ts'

/** What the sensor asked to be told on its death; effective when there is a topic [6.3, 6.4]. */
export interface WillData {
  topic: { readonly name: string; readonly qos: 0 | 1 | 2; readonly retain: boolean } | undefined
  message: Uint8Array | undefined
}

/** A subscription, by its filter. The type and id say how the sensor wants to see the topic [SN-GPUB-14]. */
export interface Subscription {
  /** as asked for; the broker may grant less */
  readonly qos: 0 | 1 | 2
  readonly topicIdType: 'normal' | 'predefined' | 'short'
  /** 0 for a filter with wildcards */
  readonly topicId: number
}

/** A PUBLISH on its way to the broker [6.6]: in `uplinks` until the sensor, in `outgoing` until the broker is done with it. */
export interface Uplink {
  /** names it at the broker connection; grows within a session, and is its key in the store */
  readonly token: number
  readonly msgId: number
  readonly qos: 0 | 1 | 2
  readonly topicIdType: 'normal' | 'predefined' | 'short'
  readonly topicId: number
  readonly topic: string
  readonly retain: boolean
  readonly data: Uint8Array
  /** when it came, monotonic milliseconds */
  readonly at: number
  /** acknowledged to the sensor as soon as the gateway has it durably; otherwise when the broker has it */
  readonly stored: boolean
  /**
   * towards the broker. waiting: not yet given to the connection; sent: given; received: the broker has it (PUBREC), and is
   * to complete it; done
   */
  stage: 'waiting' | 'sent' | 'received' | 'done'
  /** it was given to a connection before */
  repeated: boolean
  /** towards the sensor, QoS 2: PUBREC was sent; PUBREL came */
  answer: 'none' | 'pubrec' | 'pubrel'
  /** when the sensor is told to try later, Infinity after it was told or answered; a stored one is tried again then */
  deadline: number
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

/** What the gateway waits for from the sensor; one thing at a time [SN-GPUB-4, -11]. */
export interface Outstanding {
  readonly kind: 'willtopicreq' | 'willmsgreq' | 'register' | 'publish' | 'pubrel'
  readonly msgId: number
  readonly topicId: number
  /** the sensor may have had it before this delivery */
  readonly repeated: boolean
  /** repetitions so far */
  tries: number
  deadline: number
}

/** The session's connection to the broker. */
export interface Link {
  state: 'closed' | 'connecting' | 'up'
  /** what the broker can do, known while it is up */
  limits: BrokerLimits | undefined
  congested: boolean
  /** when the connection was lost; undefined while all is well */
  lostAt: number | undefined
  /** failed attempts in a row */
  attempts: number
  /** when the next attempt is due */
  retryAt: number
  /** filters of re-subscriptions not answered yet, by token [SN-MAP-3] */
  readonly restoring: SparseMap<number, string>
}

export interface Session {
  readonly clientId: string
  /** the rules for this sensor; derived from the configuration, never stored */
  policy: Policy
  /** undefined while it is disconnected or lost */
  peer: Peer | undefined
  state: State
  cleanSession: boolean
  /** seconds; 0 = not supervised */
  keepAlive: number
  /** seconds of the present sleep */
  sleep: number
  /** the CONNECT being set up, or last accepted, for recognising its repetition */
  connect: { readonly will: boolean; readonly cleanSession: boolean; readonly at: number } | undefined
  /** nothing has come since the CONNACK */
  fresh: boolean
  /** there is a finished setup behind this record; without one it is not kept */
  established: boolean
  /** when the last message came; what keep-alive and sleep are counted from */
  heardAt: number
  /** when the setup in progress ends without the broker */
  setupDeadline: number
  /** when it was disconnected or lost */
  endedAt: number
  /** the nearest deadline: the shell sends `deadline` when it has passed */
  wakeAt: number
  will: WillData
  /** the topic of a will whose message is still to come */
  promptedTopic: WillData['topic']
  /** a will update on its way to the broker: what held before, and who waits for an answer [AMB-9] */
  willUpdate:
    | {
        readonly before: WillData
        readonly answers: Set<'willtopicresp' | 'willmsgresp'>
        readonly deadline: number
      }
    | undefined
  topics: Topics
  readonly subscriptions: SparseMap<string, Subscription>
  /** open towards the sensor, by MsgId */
  readonly uplinks: SparseMap<number, Uplink>
  /** open towards the broker, by token, in order */
  readonly outgoing: SparseMap<number, Uplink>
  /** what of `outgoing` waits in the store: messages that the sensor needs not repeat */
  spooled: { messages: number; octets: number }
  /** QoS 2 identifiers of the broker that it has not released [SN-MAP-17] */
  readonly received: SparseSet<number>
  /** the last QoS 1 PUBLISH that was acknowledged [SN-PUB-12] */
  lastUplink: Uplink | undefined
  readonly requests: SparseMap<number, Request>
  /** the last accepted SUBSCRIBE and its answer [SN-SUB-9] */
  lastSuback: { readonly request: Request; readonly qos: 0 | 1 | 2; readonly at: number } | undefined
  /** when a QoS 0 PUBLISH was last answered with congestion [SN-MAP-27] */
  congestionToldAt: number
  queue: QueuedMessage[]
  queuedOctets: number
  outstanding: Outstanding | undefined
  /** MsgId of a QoS 2 message that the sensor has (PUBREC) and that is still to be released; 0 = none */
  releasing: number
  /** no answer after all repetitions: nothing is sent until the sensor speaks [AMB-26] */
  paused: boolean
  /** the sensor reported congestion: nothing is delivered before this time [SN-GPUB-8] */
  holdUntil: number
  /** messages sent in this awake period, and its end [SN-SLP-8] */
  awakeCount: number
  awakeUntil: number
  link: Link
  /** it ended well while its connection was away: the broker must hear of that, or it publishes the will */
  owesFarewell: boolean
  /** what of `heardAt` is in the store */
  savedHeardAt: number
  nextToken: number
  nextMessage: number
}

const never = Number.POSITIVE_INFINITY

/** A session without history for this ClientId, in state disconnected. */
export function createSession(clientId: string, env: Env): Session {
  return {
    clientId,
    policy: env.policyFor(clientId),
    peer: undefined,
    state: 'disconnected',
    cleanSession: true,
    keepAlive: 0,
    sleep: 0,
    connect: undefined,
    fresh: false,
    established: false,
    heardAt: 0,
    setupDeadline: never,
    endedAt: 0,
    wakeAt: never,
    will: { topic: undefined, message: undefined },
    promptedTopic: undefined,
    willUpdate: undefined,
    topics: createTopics(1 + Math.floor(env.random() * 0xfffd)),
    subscriptions: new SparseMap(),
    uplinks: new SparseMap(),
    outgoing: new SparseMap(),
    spooled: { messages: 0, octets: 0 },
    received: new SparseSet(),
    lastUplink: undefined,
    requests: new SparseMap(),
    lastSuback: undefined,
    congestionToldAt: Number.NEGATIVE_INFINITY,
    queue: [],
    queuedOctets: 0,
    outstanding: undefined,
    releasing: 0,
    paused: false,
    holdUntil: 0,
    awakeCount: 0,
    awakeUntil: never,
    link: {
      state: 'closed',
      limits: undefined,
      congested: false,
      lostAt: undefined,
      attempts: 0,
      retryAt: never,
      restoring: new SparseMap(),
    },
    owesFarewell: false,
    savedHeardAt: Number.NEGATIVE_INFINITY,
    nextToken: 1,
    nextMessage: 1,
  }
}

/** Whether its sensor is not there, so that it is kept for the next time or forgotten. */
export const isEnded = ({ state }: Session): boolean => state === 'disconnected' || state === 'lost'

/** Whether there is a finished setup and no end: its sensor may be reached, now or when it wakes. */
export const isLive = ({ state }: Session): boolean =>
  state === 'active' || state === 'asleep' || state === 'awake'

/** Sends a message to the sensor, if it has an address; what must not be sent now, the sensor asks for again. */
export function send(session: Session, packet: Packet, turn: Turn, repeated = false): void {
  const { peer, state } = session
  if (peer !== undefined && maySend(state, packet.type)) {
    turn.out.push({ type: 'send', peer, packet, session, repeated })
  }
}

/** Moves to another state and says why. */
export function enter(session: Session, to: State, why: string, turn: Turn): void {
  const { peer, state: from } = session
  if (from === to) return
  turn.out.push({ type: 'changed', session, peer, from, to, why })
  session.state = to
}

/** Counts a discarded message. */
export function drop(session: Session, reason: DropReason, turn: Turn): void {
  turn.out.push({ type: 'drop', reason, session })
}
