// What goes through a session: application messages, wills, and what became of them. Pure types, and the will as the broker gets it.

import { isTopicName } from '../mqtt-topics.ts'
import type { SparseMap } from './sparse.ts'

/** An application message from the broker. Times are milliseconds of the monotonic clock. */
export interface Message {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  /** when MQTT 5 message expiry ends its life */
  readonly expiresAt?: number | undefined
}

/** A message on its way to the sensor. `id` grows within a session and is its key in the store. */
export interface QueuedMessage extends Message {
  readonly id: number
  /** when it came, monotonic milliseconds */
  readonly at: number
  /** its PUBLISH may have reached the sensor: a repetition carries the same MsgId, and DUP */
  sent: boolean
  /** it was sent a second time after the sensor refused it [SN-GPUB-7] */
  repaired: boolean
  /** awake periods of the sensor in which it was sent, and never answered */
  unanswered?: number
}

/** Why the broker will not have a message that was acknowledged to its sensor: it hangs up at it, or refuses it for good. */
export type DeathCause = 'hung-up' | 'refused'

/** A message of QoS 1 or 2 that the gateway has not taken over: not stored, not acknowledged, so that the broker keeps it. */
export interface WithheldMessage {
  readonly message: Message
  /** undefined: the connection that it came on is gone, and the broker with it has forgotten it */
  readonly ack: number | undefined
  /** the broker's identifier at QoS 2, else 0 */
  readonly packetId: number
  /** when it came, monotonic milliseconds */
  readonly at: number
}

/** A PUBLISH of the sensor on its way to the broker [6.6]: two small machines, one on each side. */
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
  /** it was given to a connection before */
  repeated: boolean
  /**
   * towards the broker. waiting: not yet given to the connection; sent: given; received: the broker has it (PUBREC), and is
   * to complete it; done; dead: the broker will not have it, and a person decides what becomes of it
   */
  broker: 'waiting' | 'sent' | 'received' | 'done' | 'dead'
  /** why it is dead */
  why?: DeathCause | undefined
  /**
   * towards the sensor. owes: it waits for an answer, until `deadline`; told: it was told to try later, or its connection
   * ended, and a repetition asks anew; answered: PUBACK or PUBREC was sent; released: it needs nothing more (PUBREL came,
   * or it gave the message up)
   */
  sensor: 'owes' | 'told' | 'answered' | 'released'
  /** while the gateway owes an answer: when the sensor is told to try later */
  deadline: number
  /** how often the broker has refused it; it may be absent in place of 0 */
  refusals?: number
  /** while it waits for the broker: not before this time, since the broker could not take it a moment ago */
  retryAt: number
}

/** A publish that waits in the store alone: its token, what it counts against limits on octets, and when it came. */
export type SpooledPosition = Pick<Uplink, 'token' | 'at'> & { readonly octets: number }

/** What memory knows of a message that was set aside since the broker will not have it: its payload lies in the store. */
export interface DeadLetter extends Pick<Uplink, 'token' | 'topic' | 'qos' | 'retain' | 'at'> {
  /** of its payload */
  readonly octets: number
  readonly why: DeathCause
}

/** What of a publish in the store is taken into memory at the start: all of it, where somebody needs that. */
export type StoredUplink = Uplink | SpooledPosition | DeadLetter

/** What waits in the store alone: positions in order of tokens, as columns; those before `head` are done. */
export interface Backlog {
  tokens: number[]
  /** what each counts; NOT_STORED for one that is in memory only */
  octets: number[]
  at: number[]
  head: number
  /** those that somebody needs in memory */
  readonly inMemory: SparseMap<number, Uplink>
  /** the token of the last one: in this turn it is not in the store yet */
  newest: number
  /** the store could not be read: not before this time */
  retryAt: number
}

/** A sensor's will, as it goes into MQTT CONNECT. */
export interface Will {
  readonly topic: string
  readonly message: Uint8Array
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
}

/** What the sensor asked to be told on its death; effective when there is a topic [6.3, 6.4]. */
export interface WillData {
  topic: { readonly name: string; readonly qos: 0 | 1 | 2; readonly retain: boolean } | undefined
  message: Uint8Array | undefined
}

/**
 * The will as the broker gets it: only with a topic [SN-MAP-11]; without a message it is empty [AMB-10]. An older edition may
 * have stored a topic that brokers hang up at.
 */
export const effectiveWill = ({ topic, message }: WillData): Will | undefined =>
  topic !== undefined && isTopicName(topic.name)
    ? { topic: topic.name, message: message ?? new Uint8Array(0), qos: topic.qos, retain: topic.retain }
    : undefined

/** An MQTT outcome in MQTT-SN's words: 0 accepted, 1 try later, 3 refused for good. */
export type Outcome = 0 | 1 | 3
