// Why something was discarded, in words, and what to do about it. Pure.

import { docsOf, type Subject } from '../../contract/docs.ts'
import { DTLS_DROPS } from './dtls-drops.ts'
import { type RemedyWords, unknownWords } from './explained.ts'

/** Why something was discarded, and what to do about it. */
export const DROPS: Readonly<Record<string, RemedyWords>> = {
  'wrong-direction': {
    label: 'Only gateways say that',
    text: 'Something sent the gateway a message that only a gateway sends.',
    next: 'Look for a second gateway, or a forwarder that sends back what it hears.',
  },
  'out-of-state': {
    label: 'Not possible now',
    text: 'The message makes no sense in the state of the sensor, such as a publish while it sleeps.',
    next: 'Open the sensor and read its conversation. Often its software restarted and forgot where it was.',
  },
  unasked: {
    label: 'Answer to nothing',
    text: 'A sensor answered something that the gateway did not ask, or no longer waits for.',
    next: 'A few are normal on a slow or lossy network. Many mean that answers arrive after the retry time.',
  },
  'unknown-sender': {
    label: 'Unknown sender',
    text: 'A message came from an address that has no connection. The gateway told it to connect again.',
    next: 'Normal after a restart. Otherwise the sensor changed its address: see the setting "roaming".',
  },
  'rate-limited': {
    label: 'Too many from one source',
    text: 'One source asked for more connections or answers per second than the gateway allows.',
    next: 'If these are your sensors behind one address, raise the limit. Otherwise find the source.',
  },
  'not-allowed': {
    label: 'Forbidden by configuration',
    text: 'The address, the forwarder, or the topic without connection is not on the list of what is allowed.',
    next: 'Compare "allow", "forwarders" and "qosMinusOne" in the configuration with what should be allowed.',
  },
  'name-taken': {
    label: 'Name taken at the broker',
    text: 'A sensor asked to connect under a name that the gateway itself, or another sensor, has at the broker.',
    next: 'Give the sensor another ClientId, or change "sensors[].clientId" so that every sensor has a name of its own.',
  },
  'invalid-topic': {
    label: 'Impossible topic',
    text: 'A message without a connection named a topic that the gateway does not know, or that cannot exist.',
    next: 'Compare the topic numbers in the sensor with the predefined topics of the gateway.',
  },
  'suspended-topic': {
    label: 'Topic suspended',
    text: 'The broker closes the connection whenever a message without a connection, or on one that sensors share, goes to this topic, so it is left alone for a while.',
    next: 'The log names topic and address. Let the broker permit the topic, or narrow "qosMinusOne.topics".',
  },
  'invalid-from-broker': {
    label: 'Impossible message of the broker',
    text: 'The broker sent a message whose topic or properties MQTT does not allow. It was acknowledged and dropped.',
    next: 'Look for the client or bridge that publishes it, or for an error of the broker.',
  },
  'upstream-down': {
    label: 'Broker away',
    text: 'A message that needs no acknowledgement came while the broker could not be reached.',
    next: 'Bring the broker back. Sensors that must not lose messages should publish with QoS 1.',
  },
  overloaded: {
    label: 'Gateway overloaded',
    text: 'More came than the gateway can handle. Where there is an answer for that, the sensor was told to try later.',
    next: 'Find who sends so much. If it is all wanted, give the gateway more processor time, or share the load.',
  },
  'no-owner': {
    label: 'Not served here',
    text: 'A message came for a sensor that another gateway serves, or nobody for the moment: to a node that stands by or has no link to the one that serves, or while sensors change hands. Or one could not leave, since the lease of this node had run out.',
    next: 'Nothing is wrong while a node stands by. If sensors get no answer, let the balancer look at /health/ready, every 5 to 10 seconds, and look at the log of the other nodes.',
  },
  stalled: {
    label: 'Came while the node stood still',
    text: 'The process was stopped or got no processor time for more than half a second. What came meanwhile is old: sensors have repeated it.',
    next: 'Find out what stops the machine: a snapshot, swapping, too little processor time.',
  },
  'held-too-long': {
    label: 'Held too long',
    text: 'A message came while its sensor was on its way to another gateway, or while the nodes were asked whose it is, and that took too long. Or it was under way between nodes for too long.',
    next: 'The sensor repeats it. If it happens often, look at how fast the store answers.',
  },
  congestion: {
    label: 'Broker too slow',
    text: 'A message that needs no acknowledgement came while the connection to the broker was full.',
    next: 'Look at the load of the broker and of the network between it and the gateway.',
  },
  'queue-full': {
    label: 'Queue full',
    text: 'More messages waited for a sensor than the limits or its queue rule allow.',
    next: 'Sort the sensors by queue. Let the sensor wake up more often, subscribe to less, or raise the limit.',
  },
  superseded: {
    label: 'Overtaken',
    text: 'A newer message of the same topic took the place of one that waited, as the queue rule says.',
    next: 'Nothing is wrong. To keep all, choose another "overflow" in "queues".',
  },
  asleep: {
    label: 'Not kept for sleepers',
    text: 'A message without acknowledgement came for a sensor that sleeps, and the queue rule keeps none of those.',
    next: 'Publish with QoS 1 what must arrive, or set "qos0" in "queues".',
  },
  'spool-full': {
    label: 'Spool full',
    text: 'A sensor had more messages waiting for the broker than its rule allows. It was told to try later.',
    next: 'Bring the broker back, or raise "spool" in the rule of the sensor, or "limits.totalSpooledMessages".',
  },
  'store-failing': {
    label: 'Store cannot write',
    text: 'A sensor asked for something that must be on the disk first, while the disk takes nothing. It was told to try later.',
    next: 'Free some space on the disk of the store, or see what is wrong with it: the log says.',
  },
  unreadable: {
    label: 'Damaged on the disk',
    text: 'A stored message of a sensor could not be read any more when its turn came.',
    next: 'The log names the sensor. Check the disk: it has changed what was written.',
  },
  refused: {
    label: 'Refused by the broker',
    text: 'A stored message of a sensor reached the broker, which will not take it. It is kept as a dead letter.',
    next: 'Look into the log of the broker: often the sensor may not publish to that topic. Then send it again, or discard it.',
  },
  'hung-up': {
    label: 'The broker hangs up at it',
    text: 'The broker closed the connection twice at this message or subscription of a sensor, so it is not sent again.',
    next: 'Look into the log of the broker: often the sensor may not use that topic, or the message is too large for it.',
  },
  'dead-letters-full': {
    label: 'Too many dead letters',
    text: 'The oldest dead letter of a sensor made room: there are more than its spool, or the limits, allow, or a newcomer needed its place.',
    next: 'See why the broker will not have these messages, then send them again or discard them. To keep more, raise "spool" in the rule of the sensor, or "limits.totalDeadLetters".',
  },
  expired: {
    label: 'Too old',
    text: 'A message waited longer than its sender wanted it to live, or than a rule keeps it.',
    next: 'Let the sensor wake up more often, or give messages more time.',
  },
  'too-long': {
    label: 'Too long for the link',
    text: 'A message for a sensor does not fit into one datagram of its network.',
    next: 'Send shorter messages to it, or raise "maxMessageSize" of the listener if the network can carry more.',
  },
  rejected: {
    label: 'Refused by the sensor',
    text: 'The sensor refused a message or its topic.',
    next: 'Open the sensor: under "Refused topics" is what it does not take. Its memory for topics may be full.',
  },
  unregistered: {
    label: 'Topic never confirmed',
    text: 'The gateway told the sensor the number of a topic, the sensor never answered, so the message was given up.',
    next: 'See whether the sensor still answers at all. Predefined topics need no such step.',
  },
  undeliverable: {
    label: 'Not taken by the sensor',
    text: 'The sensor is there, but it answered none of the transmissions of a message, so the message was set aside and the next one sent.',
    next: 'The log names the topic. Often the message is longer than the buffer of the device: set "maxMessageSize" in its rule; or it does not know QoS 2: subscribe with QoS 1.',
  },
  'topic-forgotten': {
    label: 'Topic name forgotten',
    text: 'A sensor had as many topic names as it may have. The one that was not used for longest made room for a new one.',
    next: 'Nothing is lost, but names are told again and again. Raise "topicsPerSensor", or let the sensor subscribe to fewer topics.',
  },
  oversized: {
    label: 'Datagram too large',
    text: 'A datagram was larger than the listener accepts.',
    next: 'Raise "maxMessageSize" of the listener if sensors really send so much.',
  },
  'malformed: empty': {
    label: 'Broken: empty',
    text: 'A datagram without any content.',
    next: 'Harmless; often a port scanner or a monitoring probe.',
  },
  'malformed: length': {
    label: 'Broken: wrong length',
    text: 'The length that the message states differs from what arrived.',
    next: 'Something else than MQTT-SN speaks to this port, or two messages were put into one datagram.',
  },
  'malformed: truncated': {
    label: 'Broken: cut off',
    text: 'A message ends in the middle of a field.',
    next: 'Look for a small buffer in the sensor, or a network that cuts long datagrams.',
  },
  'malformed: surplus': {
    label: 'Broken: too long',
    text: 'There is something after the last field of a message.',
    next: 'The software of the sensor writes a wrong length, or speaks another version of the protocol.',
  },
  'malformed: unknown-type': {
    label: 'Broken: unknown type',
    text: 'The message has a type that MQTT-SN 1.2 does not know.',
    next: 'Often a sensor of another protocol version, or something else than MQTT-SN.',
  },
  'malformed: encapsulation': {
    label: 'Broken: forwarder header',
    text: 'The header that a forwarder puts before a message is impossible.',
    next: 'Look at the software of the forwarder.',
  },
  ...DTLS_DROPS,
}

/** The paragraph of the docs about a reason, where there is one. */
const SUBJECTS: Readonly<Record<string, Subject>> = {
  'out-of-state': 'no-connection',
  'unknown-sender': 'unknown-sender',
  'rate-limited': 'overloaded',
  'not-allowed': 'not-admitted',
  'name-taken': 'same-client-id',
  'invalid-topic': 'topic-id-unknown',
  'suspended-topic': 'poison-topic',
  'upstream-down': 'broker-away',
  overloaded: 'overloaded',
  'no-owner': 'standing-by',
  stalled: 'standing-by',
  congestion: 'broker-slow',
  'queue-full': 'queue-full',
  'spool-full': 'spool-grows',
  'store-failing': 'store-fails',
  unreadable: 'store-fails',
  refused: 'dead-letters',
  'hung-up': 'poison-topic',
  expired: 'queue-full',
  'too-long': 'message-too-long',
  oversized: 'message-too-long',
  rejected: 'not-taken',
  unregistered: 'sensor-does-not-answer',
  undeliverable: 'not-taken',
  'topic-forgotten': 'topics-forgotten',
}

/** Never undefined, so that a newer gateway does not break an older page. */
export function dropWords(reason: string): RemedyWords {
  const words = DROPS[reason] ?? unknownWords(reason)
  const subject = SUBJECTS[reason] ?? (reason.startsWith('malformed') ? 'malformed' : undefined)
  return subject === undefined ? words : { ...words, docs: docsOf(subject) }
}
