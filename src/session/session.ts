// One sensor's session: all that the gateway knows of it, as plain data without verbs. Pure.

import { type HangUps, noHangUps } from './broker/hang-ups.ts'
import type { BrokerLimits } from './broker/limits.ts'
import type { Subscribing, Subscription } from './broker/subscription.ts'
import type { Outstanding, OwedMessage } from './downlink/outstanding.ts'
import { createValidation, type Validation } from './downlink/unproven.ts'
import type { Backlog, DeadLetter, QueuedMessage, Uplink, WillData, WithheldMessage } from './message.ts'
import type { Peer } from './peers.ts'
import type { Env, Policy, Who } from './policy.ts'
import { SparseMap, SparseSet } from './sparse.ts'
import type { State, WillAnswers } from './states.ts'
import { createTopics, firstTopicId, type Topics } from './topics/registry.ts'

/** The setup of a connection: CONNECT, the will dialogue, and what recognises their repetition [6.2, 6.3]. */
export interface Setup {
  /** the CONNECT being set up, or last accepted, for recognising its repetition */
  connect: { readonly will: boolean; readonly cleanSession: boolean; readonly at: number } | undefined
  /** nothing has come since the CONNACK */
  fresh: boolean
  /** the will is asked for again, by a CONNECT that may have been sent before the CONNACK was heard */
  repeated: boolean
  /** when a setup that waits for the broker ends without it */
  deadline: number
  /** the topic of a will whose message is still to come */
  promptedTopic: WillData['topic']
  /** a will update on its way to the broker: what held before, and who waits for an answer [AMB-9] */
  willUpdate:
    | { readonly before: WillData; readonly answers: WillAnswers; readonly deadline: number }
    | undefined
}

/** From the sensor to the broker. */
export interface UplinkSide {
  /** open towards the sensor, by MsgId */
  readonly open: SparseMap<number, Uplink>
  /** open towards the broker, by token, in order */
  readonly outgoing: SparseMap<number, Uplink>
  /** acknowledged, and set aside since the broker will not have them: kept until a person decides [dead letters], by token */
  readonly dead: SparseMap<number, DeadLetter>
  /** octets of these */
  deadOctets: number
  /** those up to a token are to be sent again, as soon as they are read: to be asked for again at this time */
  resending?: { readonly upTo: number; readonly at: number } | undefined
  /** what comes after these: most of it is in the store alone */
  backlog: Backlog | undefined
  /** what of both waits in the store: messages that the sensor needs not repeat */
  readonly spooled: { messages: number; octets: number }
  /** the last QoS 1 PUBLISH that was acknowledged [SN-PUB-12] */
  lastAcknowledged: Uplink | undefined
  /** when a QoS 0 PUBLISH was last answered with congestion [SN-MAP-27] */
  congestionToldAt: number
}

/** From the broker to the sensor. */
export interface Downlink {
  queue: QueuedMessage[]
  /** octets in `queue` */
  octets: number
  /** what the broker was not given an acknowledgement for, in order, and until when there is none; in memory only */
  withheld: WithheldMessage[] | undefined
  slowUntil: number
  /** the one that is on its way while the broker has it still; in memory only */
  owed: OwedMessage | undefined
  outstanding: Outstanding | undefined
  /** MsgId of a QoS 2 message that the sensor has (PUBREC) and that is still to be released */
  releasing: number | undefined
  /** awake periods in which the sensor did not answer its PUBREL */
  unreleased: number
  /** no answer after all repetitions: nothing is sent until the sensor speaks [AMB-26] */
  paused: boolean
  /** the sensor reported congestion: nothing is delivered before this time [SN-GPUB-8] */
  holdUntil: number | undefined
  /** the awake period of a sleeping sensor: messages sent in it, when it ends, and that it has ended [SN-SLP-8] */
  awake: { sent: number; readonly until: number; over: boolean } | undefined
  /** QoS 2 identifiers of the broker that it has not released [SN-MAP-17] */
  readonly received: SparseSet<number>
  nextMessage: number
  /** the store knows that ids below this one may have been given */
  reserved: number
}

/** The session's connection to the broker. */
export interface Link {
  /** as `Policy.pool` was when the connection was last opened */
  pool: string | undefined
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
  /** no attempt before the sensor speaks: it may be served by another gateway [SN-MAP-37] */
  awaitsSensor: boolean
  /** filters of re-subscriptions that are still to be sent, and of those not answered yet, by token [SN-MAP-3] */
  toRestore: readonly string[]
  readonly restoring: SparseMap<number, string>
  /** tokens of QoS 2 publishes that the broker has, and that are still to be released on this connection */
  toRelease: readonly number[]
  /** filters that the broker could not take for now: the next connection asks again */
  unrestored: readonly string[]
  readonly hangUps: HangUps
  /** the sensor ended well, and the broker may not have been told: it must hear of that, or it publishes the will */
  owesFarewell: boolean
  /** names the next request at the connection */
  nextToken: number
  /** the store knows that tokens below this one may have been given */
  reserved: number
}

export interface Session {
  readonly clientId: string
  /** who the sensor has proved to be, by the link that it came over last; undefined where that cannot tell */
  identity: string | undefined
  /** the rule that an admission named for it; undefined: the first that fits */
  rule: string | undefined
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
  /** there is a finished setup behind this record; without one it is not kept */
  established: boolean
  /** when the last message came; what keep-alive and sleep are counted from */
  heardAt: number
  /** what of `heardAt` is in the store, and what a restart supposed beyond that; NaN: nothing */
  savedHeardAt: number
  supposedHeardAt: number
  /** when it was disconnected or lost */
  endedAt: number
  /** where it came from last, as sessions are counted for each source address; undefined if that is not known */
  source: string | undefined
  /** it is being given up for good, so that the broker need not keep its session either: why */
  forgotten: 'by hand' | 'expired' | 'made room' | undefined
  /** when it last moved to another address, and from which */
  movedFrom: { readonly peer: Peer; readonly at: number } | undefined
  /** the `heardAt` of the silence in which the sensor was asked whether it is there [5.4.20] */
  askedFor: number
  /** the nearest deadline: the shell sends `deadline` when it has passed */
  wakeAt: number
  /** where the table of sessions keeps that in mind; Infinity: nowhere */
  duePeriod: number
  will: WillData
  topics: Topics
  readonly subscriptions: SparseMap<string, Subscription>
  readonly subscribing: Subscribing
  readonly setup: Setup
  readonly uplink: UplinkSide
  readonly downlink: Downlink
  readonly validation: Validation
  readonly link: Link
}

const never = Number.POSITIVE_INFINITY
/** What the first write of a session reserves; see `takeMessageId`. */
const FIRST_RESERVED = 257

/** `first`: id of the first message, from which its MsgId follows; by chance, so that it cannot be guessed. */
const createDownlink = (first: number): Downlink => ({
  queue: [],
  octets: 0,
  withheld: undefined,
  owed: undefined,
  slowUntil: 0,
  outstanding: undefined,
  releasing: undefined,
  unreleased: 0,
  paused: false,
  holdUntil: undefined,
  awake: undefined,
  received: new SparseSet(),
  nextMessage: first,
  reserved: first - 1 + FIRST_RESERVED,
})

/** A session without history for this ClientId, in state disconnected. */
export const createSession = (clientId: string, env: Env, who: Partial<Who> = {}): Session => ({
  clientId,
  identity: who.identity,
  rule: who.rule,
  policy: env.policyFor({ clientId, identity: who.identity, rule: who.rule }),
  peer: undefined,
  state: 'disconnected',
  cleanSession: true,
  keepAlive: 0,
  sleep: 0,
  established: false,
  heardAt: 0,
  savedHeardAt: Number.NEGATIVE_INFINITY,
  supposedHeardAt: Number.NaN,
  endedAt: 0,
  source: undefined,
  forgotten: undefined,
  movedFrom: undefined,
  askedFor: Number.NaN,
  wakeAt: never,
  duePeriod: never,
  will: { topic: undefined, message: undefined },
  topics: createTopics(firstTopicId(env.random())),
  subscriptions: new SparseMap(),
  subscribing: { requests: new SparseMap(), lastAnswer: undefined },
  setup: {
    connect: undefined,
    fresh: false,
    repeated: false,
    deadline: never,
    promptedTopic: undefined,
    willUpdate: undefined,
  },
  uplink: {
    open: new SparseMap(),
    outgoing: new SparseMap(),
    dead: new SparseMap(),
    deadOctets: 0,
    backlog: undefined,
    spooled: { messages: 0, octets: 0 },
    lastAcknowledged: undefined,
    congestionToldAt: Number.NEGATIVE_INFINITY,
  },
  downlink: createDownlink(1 + Math.floor(env.random() * 0x7fff)),
  validation: createValidation(),
  link: {
    pool: env.policyFor({ clientId, identity: who.identity, rule: who.rule }).pool,
    state: 'closed',
    limits: undefined,
    congested: false,
    lostAt: undefined,
    attempts: 0,
    retryAt: never,
    awaitsSensor: false,
    toRestore: [],
    restoring: new SparseMap(),
    toRelease: [],
    unrestored: [],
    hangUps: noHangUps(),
    owesFarewell: false,
    nextToken: 1,
    reserved: FIRST_RESERVED,
  },
})
