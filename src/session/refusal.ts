// Why a sensor, or whoever sends to the gateway, was refused: one closed list, and what is told of each refusal. Pure.

import { type PacketType, ReturnCode } from '../codec/v1/messages.ts'
import type { Peer } from './peers.ts'

/** Why something was refused: at once log text, metric label and API value. `gateway/refusals.ts` has a sentence for each. */
export type RefusalReason =
  // before a datagram is looked at
  | 'address-not-admitted' // by `allow` and `deny` of the listener
  | 'forwarder-not-listed' // an encapsulated message from an address that is no forwarder
  // CONNECT
  | 'wrong-protocol' // a ProtocolId other than 0x01
  | 'client-id-empty'
  | 'client-id-too-long'
  | 'client-id-impossible' // not a text that MQTT can carry
  | 'client-id-reserved' // the gateway's own at the broker, or another sensor's there
  | 'client-id-contested' // another device had it a moment ago
  | 'denied' // by a rule
  | 'wrong-address' // not one that its rule lists
  | 'wrong-identity' // who it has proved to be, if anybody, may not have this ClientId
  | 'not-admitted' // it is on no list, or who was asked said no
  | 'admission-unavailable' // nobody could tell whether it may be here
  | 'too-many-sensors'
  | 'too-many-of-address' // sessions of one source address
  | 'link-full' // a newcomer on a line that carries no more
  | 'too-many-connects' // per second from one source
  | 'will-impossible'
  | 'broker-unavailable' // it cannot be reached, or does not answer in time
  | 'broker-refused' // it said no
  | 'broker-hung-up' // it closes the connection at such a message
  | 'stopping' // the gateway ends
  // senders without a connection
  | 'unknown-sender'
  | 'too-many-answers' // per second to one source
  | 'qos-minus-one-off'
  | 'qos-minus-one-source' // not an address that such messages may come from
  | 'qos-minus-one-topic' // not one that such messages may have
  | 'qos-minus-one-rate' // above the rate for one source
  // requests
  | 'topic-impossible' // MQTT cannot carry it
  | 'topic-id-unknown'
  | 'topic-not-permitted' // a rule does not let it publish there, or subscribe that
  | 'too-many-topics'
  | 'too-many-subscriptions'
  | 'too-many-requests' // of one sensor under way at once
  | 'qos-impossible' // not one that a SUBSCRIBE or a will can have
  | 'broker-cannot' // a QoS, a size, a wildcard or retain that the broker does not have
  | 'congestion' // the way to the broker is full, or what waits for it is
  | 'overloaded' // the gateway gets more than it can handle
  | 'store-failing' // it needs the disk, which takes nothing

/** One refusal: who was refused, what was answered, and why. */
export interface Refusal {
  readonly reason: RefusalReason
  readonly peer: Pick<Peer, 'address' | 'port' | 'nodeId' | 'association' | 'listener'>
  /** undefined where the sender did not name itself, or was not listened to */
  readonly clientId?: string | undefined
  /** undefined where nothing, or DISCONNECT, was answered */
  readonly returnCode?: number
  /** what the broker said, where it refused */
  readonly detail?: string
}

/** Why an answer of this type has this return code, where nothing closer is known. */
const USUAL: Readonly<Partial<Record<PacketType, Partial<Record<number, RefusalReason>>>>> = {
  connack: { 1: 'broker-unavailable', 3: 'broker-refused' },
  regack: { 1: 'too-many-topics', 3: 'topic-impossible' },
  puback: { 1: 'broker-unavailable', 2: 'topic-id-unknown', 3: 'broker-refused' },
  suback: { 1: 'broker-unavailable', 2: 'topic-id-unknown', 3: 'broker-refused' },
  willtopicresp: { 1: 'broker-unavailable', 3: 'broker-refused' },
  willmsgresp: { 1: 'broker-unavailable', 3: 'broker-refused' },
}

/** The usual reason for an answer with this return code. */
export const usualReason = (type: PacketType, returnCode: number): RefusalReason =>
  USUAL[type]?.[returnCode] ?? 'congestion'

/** Why a request is refused that names a topic: its name is impossible, or its id unknown. */
export const reasonForTopic = (returnCode: ReturnCode): RefusalReason =>
  returnCode === ReturnCode.invalidTopicId ? 'topic-id-unknown' : 'topic-impossible'
