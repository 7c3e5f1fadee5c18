// What each reason of a refusal means, in words that log, API and console share, and which key of the configuration decides.

import type { Subject } from '../../console/contract/docs.ts'
import type { RefusalReason } from '../../session/refusal.ts'

interface Explanation {
  readonly text: string
  /** what to do, where the key does not say it */
  readonly next?: string
  /** where the docs explain it */
  readonly subject: Subject
  /** the key of the configuration to look at */
  readonly key?: string
  /** what needs nobody's attention, or is logged elsewhere, is not at level warn */
  readonly level?: 'info' | 'debug'
}

/** What each reason means, and where it can be changed. */
export const EXPLANATIONS: Readonly<Record<RefusalReason, Explanation>> = {
  'address-not-admitted': {
    subject: 'not-admitted',
    text: 'its address may not send here',
    key: 'listeners[].allow, listeners[].deny',
  },
  'forwarder-not-listed': {
    subject: 'forwarder-not-listed',
    text: 'it speaks for other nodes, and its address is not listed as that of a forwarder',
    next: 'List its address as that of a forwarder if you trust it to speak for others.',
    key: 'listeners[].forwarders',
  },
  'wrong-protocol': {
    subject: 'client-id-refused',
    text: 'its CONNECT has a ProtocolId other than 0x01: it speaks no MQTT-SN 1.2',
  },
  'client-id-empty': { subject: 'client-id-refused', text: 'its CONNECT has no ClientId' },
  'client-id-too-long': {
    subject: 'client-id-refused',
    text: 'its ClientId is longer than allowed',
    next: 'Give the device a shorter ClientId, or raise the limit.',
    key: 'limits.clientIdLength',
  },
  'client-id-impossible': {
    subject: 'client-id-refused',
    text: 'its ClientId is no text that MQTT can carry',
  },
  'client-id-reserved': {
    subject: 'client-id-refused',
    text: 'the gateway or another sensor has its ClientId at the broker',
    key: 'broker.clientId, sensors[].clientId',
  },
  'client-id-contested': {
    subject: 'same-client-id',
    text: 'another device had its ClientId a moment ago',
    next: 'Give each device a ClientId of its own.',
    level: 'debug',
  },
  denied: { subject: 'not-admitted', text: 'a rule denies its ClientId', key: 'sensors[].deny' },
  'wrong-address': {
    subject: 'not-admitted',
    text: 'its rule does not allow its address',
    key: 'sensors[].from',
  },
  'wrong-identity': {
    subject: 'not-admitted',
    text: 'its ClientId is not for who it has proved to be',
    key: 'sensors[].identity',
  },
  'not-admitted': {
    subject: 'not-admitted',
    text: 'it is not among the sensors that may be here',
    key: 'admission',
  },
  'admission-unavailable': {
    subject: 'not-admitted',
    text: 'nobody could tell whether it may be here',
    key: 'admission.http',
    level: 'debug',
  },
  'too-many-sensors': {
    subject: 'no-room',
    text: 'there are as many sessions as may be',
    key: 'limits.sensors',
  },
  'too-many-of-address': {
    subject: 'no-room',
    text: 'its address has as many sessions as one may have',
    key: 'limits.sensorsPerAddress',
  },
  'link-full': {
    subject: 'no-room',
    text: 'its line carries no more sensors at the moment',
    key: 'listeners[].pace',
  },
  'too-many-connects': {
    subject: 'no-room',
    text: 'its address sends more CONNECTs per second than one may',
    key: 'limits.connectsPerAddress',
  },
  'will-impossible': { subject: 'topic-refused', text: 'its will has a topic or QoS that no will can have' },
  'broker-unavailable': {
    subject: 'broker-away',
    text: 'the broker cannot be reached, or does not answer',
    level: 'debug',
  },
  'broker-refused': {
    subject: 'login-refused',
    text: 'the broker refused it',
    next: 'Compare its user name, its password and what both may do with the lists of the broker.',
    key: 'broker, sensors[].username',
  },
  'broker-hung-up': {
    subject: 'poison-topic',
    text: 'the broker closes the connection at such a message',
    next: 'See the log of the broker: the topic may not be permitted, or the message too large for it.',
  },
  stopping: { subject: 'broker-away', text: 'the gateway stops', level: 'debug' },
  'unknown-sender': {
    subject: 'unknown-sender',
    text: 'it has no connection, and was told to connect',
    level: 'info',
  },
  'too-many-answers': {
    subject: 'unknown-sender',
    text: 'its address asks for more answers per second than one gets without a connection',
    key: 'limits.repliesPerAddress, limits.repliesPerPeer',
    level: 'info',
  },
  'qos-minus-one-off': {
    subject: 'no-connection',
    text: 'messages without a connection are switched off',
    key: 'qosMinusOne.enabled',
  },
  'qos-minus-one-source': {
    subject: 'no-connection',
    text: 'messages without a connection may not come from its address',
    key: 'qosMinusOne.from',
  },
  'qos-minus-one-topic': {
    subject: 'no-connection',
    text: 'this topic is not for messages without a connection',
    key: 'qosMinusOne.topics',
  },
  'qos-minus-one-rate': {
    subject: 'no-connection',
    text: 'its address sends more messages without a connection per second than one may',
    key: 'qosMinusOne.perAddress',
  },
  'topic-impossible': { subject: 'topic-refused', text: 'it named a topic that MQTT cannot carry' },
  'topic-id-unknown': {
    subject: 'topic-id-unknown',
    text: 'it used a topic id that stands for no topic',
    next: 'Let the sensor REGISTER its topics after each CONNECT, or list the id as a predefined one.',
    key: 'predefined',
  },
  'topic-not-permitted': {
    subject: 'topic-refused',
    text: 'its rule does not let it use this topic',
    key: 'sensors[].publish, sensors[].subscribe',
  },
  'too-many-topics': {
    subject: 'topics-forgotten',
    text: 'it has as many topics as a sensor may have',
    key: 'limits.topicsPerSensor',
  },
  'too-many-subscriptions': {
    subject: 'topic-refused',
    text: 'it has as many subscriptions as a sensor may have',
    key: 'limits.subscriptionsPerSensor',
  },
  'too-many-requests': {
    subject: 'topic-refused',
    text: 'as many of its requests as allowed are under way',
    key: 'limits.inflight',
  },
  'qos-impossible': { subject: 'topic-refused', text: 'it asked for a QoS that a subscription cannot have' },
  'broker-cannot': {
    subject: 'broker-cannot',
    text: 'the broker has no such QoS, size, wildcard or retained messages',
  },
  congestion: {
    subject: 'broker-slow',
    text: 'the way to the broker is full',
    key: 'broker.writeBuffer',
    level: 'debug',
  },
  overloaded: { subject: 'overloaded', text: 'the gateway has more to do than it can', level: 'debug' },
  'store-failing': {
    subject: 'store-fails',
    text: 'the store cannot write what it needs',
    key: 'store.path',
    level: 'debug',
  },
}
