// The records on disk: plain data with wall times. Their shape is checked when they are read.

import type { Subscription } from '../session/broker/subscription.ts'
import type { QueuedMessage, Uplink, WillData } from '../session/message.ts'
import type { Association } from '../session/peers.ts'
import {
  type LastingRecord,
  type PeerRecord,
  type ProgressRecord,
  progressRecord,
  type ToWall,
} from '../session/record.ts'
import type { Session } from '../session/session.ts'
import { STATES, type State } from '../session/states.ts'
import { type UplinkRecord, uplinkFromRecord, uplinkRecord } from '../session/uplink/record.ts'
import type { FilterPart, PartKey, TopicPart } from './lasting.ts'

/** Within a session: its progress, its lasting parts, messages by id, publishes by their token as a negative number. */
export type Key = 'progress' | PartKey | number | `aside ${string}`
export type Value = Session | QueuedMessage | Uplink

/** What is written of a session's progress, a message or a publish. */
export function recordOf(value: Value, toWall: ToWall): object {
  if ('token' in value) {
    return uplinkRecord(value, toWall)
  }
  if ('id' in value) {
    const { id: _id, at, expiresAt, ...rest } = value
    return { ...rest, at: toWall(at), expiresAt: expiresAt === undefined ? undefined : toWall(expiresAt) }
  }
  return progressRecord(value, toWall)
}

type Reader<T> = (value: unknown) => T

/** A record of which every field was read, also those that may be absent. */
type Whole<T> = { readonly [K in keyof Required<T>]: T[K] }

function fail(wanted: string, value: unknown): never {
  throw new TypeError(`${value === null ? 'null' : typeof value} instead of ${wanted}`)
}

/** The fields that a T has, if these are they. */
function fields<T>(value: unknown): { readonly [K in keyof T]?: unknown } {
  return typeof value === 'object' && value !== null ? value : fail('a record', value)
}

const number: Reader<number> = (value) =>
  typeof value === 'number' && !Number.isNaN(value) ? value : fail('a number', value)
const count: Reader<number> = (value) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : fail('a count', value)
const text: Reader<string> = (value) => (typeof value === 'string' ? value : fail('text', value))
const flag: Reader<boolean> = (value) => (typeof value === 'boolean' ? value : fail('true or false', value))
// a copy of its own, since what is read may be part of a larger buffer
const octets: Reader<Uint8Array> = (value) =>
  value instanceof Uint8Array ? new Uint8Array(value) : fail('octets', value)

const maybe =
  <T>(read: Reader<T>): Reader<T | undefined> =>
  (value) =>
    value === undefined ? undefined : read(value)
const list =
  <T>(read: Reader<T>): Reader<T[]> =>
  (value) =>
    Array.isArray(value) ? value.map(read) : fail('a list', value)
const pair =
  <A, B>(first: Reader<A>, second: Reader<B>): Reader<readonly [A, B]> =>
  (value) =>
    Array.isArray(value) ? [first(value[0]), second(value[1])] : fail('a pair', value)
const oneOf =
  <const T extends string | number>(...choices: readonly T[]): Reader<T> =>
  (value) =>
    choices.find((choice) => choice === value) ?? fail(choices.join(' or '), value)

const qos = oneOf(0, 1, 2)
const topicIdType = oneOf('normal', 'predefined', 'short')
const stateOf: Reader<State> = oneOf(...STATES)

const subscription: Reader<Subscription> = (value) => {
  const of = fields<Subscription>(value)
  return { qos: qos(of.qos), topicIdType: topicIdType(of.topicIdType), topicId: count(of.topicId) }
}

/** A will, or what there is of it. Throws TypeError if it is none. */
export const readWill: Reader<WillData> = (value) => {
  const will = fields<WillData>(value)
  return {
    topic: maybe((topic) => {
      const { name, qos: wanted, retain } = fields<NonNullable<WillData['topic']>>(topic)
      return { name: text(name), qos: qos(wanted), retain: flag(retain) }
    })(will.topic),
    message: maybe(octets)(will.message),
  }
}

const readAssociation: Reader<Association> = (value) => {
  const of = fields<Association>(value)
  return { number: count(of.number), identity: text(of.identity), kind: oneOf('psk', 'certificate')(of.kind) }
}

/** One topic. Throws TypeError if it is none. */
export const readTopic: Reader<TopicPart> = (value) =>
  Array.isArray(value)
    ? [text(value[0]), flag(value[1]), flag(value[2]), flag(value[3])]
    : fail('a topic', value)

/** One subscription. Throws TypeError if it is none. */
export const readFilter: Reader<FilterPart> = pair(text, subscription)

/** The record of what seldom changes; the first edition has all of it in one. Throws TypeError if it is none. */
export const readLasting: Reader<LastingRecord> = (value) => {
  const of = fields<LastingRecord>(value)
  const topics = fields<LastingRecord['topics']>(of.topics)
  const isSecondRound = topics.isSecondRound === true
  const record: Whole<LastingRecord> & { readonly topics: Whole<LastingRecord['topics']> } = {
    clientId: text(of.clientId),
    identity: maybe(text)(of.identity),
    rule: maybe(text)(of.rule),
    cleanSession: flag(of.cleanSession),
    keepAlive: count(of.keepAlive),
    will: maybe(readWill)(of.will) ?? { topic: undefined, message: undefined },
    topics: {
      names: list(pair(count, text))(topics.names),
      confirmed: list(count)(topics.confirmed),
      learned: list(count)(topics.learned),
      suppressed: list(text)(topics.suppressed),
      next: count(topics.next),
      isSecondRound: isSecondRound ? true : undefined,
      unconfirmed: isSecondRound ? list(count)(topics.unconfirmed) : undefined,
    },
    subscriptions: list(pair(text, subscription))(of.subscriptions),
  }
  return record
}

/** The record of what often changes. Throws TypeError if it is none. */
export const readProgress: Reader<ProgressRecord> = (value) => {
  const of = fields<ProgressRecord>(value)
  const record: Whole<ProgressRecord> = {
    state: stateOf(of.state),
    established: flag(of.established),
    peer: maybe((peer) => {
      const { listener, address, port, nodeId, local, association } = fields<PeerRecord>(peer)
      return {
        listener: text(listener),
        address: text(address),
        port: count(port),
        nodeId: maybe(octets)(nodeId),
        local: maybe(text)(local),
        association: maybe(readAssociation)(association),
      }
    })(of.peer),
    sleep: count(of.sleep),
    source: maybe(text)(of.source),
    heardAt: number(of.heardAt),
    heardWithin: maybe(count)(of.heardWithin),
    endedAt: number(of.endedAt),
    releasing: count(of.releasing),
    received: list(count)(of.received),
    nextToken: count(of.nextToken),
    nextMessage: count(of.nextMessage),
    owesFarewell: of.owesFarewell === true ? true : undefined,
  }
  return record
}

/** A queued message, times monotonic. Throws TypeError if it is none. */
export function readMessage(
  id: number,
  value: unknown,
  toMonotonic: (wall: number) => number,
): QueuedMessage {
  const of = fields<QueuedMessage>(value)
  const expiresAt = maybe(number)(of.expiresAt)
  return {
    id,
    topic: text(of.topic),
    payload: octets(of.payload),
    qos: qos(of.qos),
    retain: flag(of.retain),
    expiresAt: expiresAt === undefined ? undefined : toMonotonic(expiresAt),
    at: toMonotonic(number(of.at)),
    sent: flag(of.sent),
    repaired: flag(of.repaired),
  }
}

/** A publish of the sensor, times monotonic. Throws TypeError if it is none. */
export function readUplink(token: number, value: unknown, toMonotonic: (wall: number) => number): Uplink {
  const of = fields<UplinkRecord>(value)
  const record: Whole<UplinkRecord> = {
    msgId: count(of.msgId),
    qos: qos(of.qos),
    topicIdType: topicIdType(of.topicIdType),
    topicId: count(of.topicId),
    topic: text(of.topic),
    retain: flag(of.retain),
    data: octets(of.data),
    at: number(of.at),
    stored: flag(of.stored),
    stage: oneOf('waiting', 'sent', 'received', 'done', 'dead')(of.stage),
    why: maybe(oneOf('hung-up', 'refused'))(of.why),
    repeated: flag(of.repeated),
    answer: oneOf('none', 'pubrec', 'pubrel')(of.answer),
  }
  return uplinkFromRecord(token, record, toMonotonic)
}
