// What each broker can and cannot do, as data: stories name the abilities they need, and are left out where one lacks.
//
// Every cell was tried: `test/upstream/broker-abilities.test.ts` tries each ability with each broker that is installed
// and compares what it sees with this table, so that the table does not age. A broker that is not installed on the
// machine that runs the tests keeps what was seen last, with the version in `tried`.

/** An ability that a story may need, beyond a connection of MQTT 3.1.1 that carries messages of QoS 0 and 1. */
export type Ability =
  | 'MQTT 5'
  | 'QoS 2 towards the broker'
  | 'QoS 2 from the broker'
  | 'retained messages'
  | 'retained messages for wildcards'
  | 'wildcards'
  | 'wildcards without $ topics'
  | 'overlapping subscriptions'
  | 'shared subscriptions'
  | 'persistent sessions'
  | 'prompt repetition'
  | 'order across QoS levels'
  | 'wills'
  | 'retained wills'
  | 'wills of lasting sessions'
  | 'wills by DISCONNECT'
  | 'will delay'
  | 'takeover'
  | 'takeover told'
  | 'quick returns'
  | 'polite returns'
  | 'dots in topics'
  | 'blanks in topics'
  | 'asterisks in topics'
  | 'empty levels in topics'

export interface AbilityTried {
  /** what was done to find out */
  readonly tried: string
  /** what a broker shows that has the ability */
  readonly good: string
}

/** How each ability is tried with a plain MQTT client. */
export const abilities: Readonly<Record<Ability, AbilityTried>> = {
  'MQTT 5': { tried: 'CONNECT of version 5', good: 'accepted' },
  'QoS 2 towards the broker': { tried: 'PUBLISH at QoS 2', good: 'PUBREC' },
  'QoS 2 from the broker': { tried: 'SUBSCRIBE at QoS 2', good: 'grants 2' },
  'retained messages': {
    tried: 'SUBSCRIBE to a topic with a retained message, twice, and again after an empty one cleared it',
    good: '1, 2, then none',
  },
  'retained messages for wildcards': {
    tried: 'SUBSCRIBE to a/+ while a/b has a retained message',
    good: 'sent',
  },
  wildcards: { tried: 'a/x/b to +/x/b, a/+/b, a/x/+, a/#, a/x/b/#', good: '5 of 5' },
  'wildcards without $ topics': {
    tried: 'a message to $x/y, and what the broker says itself, to # and +/+',
    good: 'none',
  },
  'overlapping subscriptions': {
    tried:
      'one message at QoS 1 to a client with subscriptions to a/b and a/+ (MQTT permits one copy or two)',
    good: 'one copy',
  },
  'shared subscriptions': { tried: 'SUBSCRIBE to $share/g/a, and a message to a', good: 'delivered' },
  'persistent sessions': {
    tried: 'three messages of QoS 1 for an absent client whose session is not clean',
    good: 'session present, 3 in order',
  },
  'prompt repetition': {
    tried: 'cut a connection that did not acknowledge a message of QoS 1, CONNECT to the same session',
    good: 'sent again at once',
  },
  'order across QoS levels': {
    tried:
      'messages to one topic, alternately of QoS 0 and 1, to a subscription of QoS 1 (MQTT orders each QoS alone)',
    good: 'in order',
  },
  wills: { tried: 'cut a connection whose CONNECT had a will of QoS 1', good: 'published' },
  'retained wills': { tried: 'the same with a retained will, SUBSCRIBE afterwards', good: 'kept' },
  'wills of lasting sessions': {
    tried: 'the same in MQTT 5 with a Session Expiry Interval of 60 s',
    good: 'published',
  },
  'wills by DISCONNECT': { tried: 'DISCONNECT with reason code 4 in MQTT 5', good: 'published' },
  'will delay': {
    tried: 'the same in MQTT 5 with a Will Delay Interval of 1 s',
    good: 'published after 1 s',
  },
  takeover: { tried: 'CONNECT with the ClientId of another connection', good: 'closes the older one' },
  'takeover told': { tried: 'the same in MQTT 5', good: 'DISCONNECT 142' },
  'quick returns': {
    tried: 'twenty times: cut the connection and CONNECT with its ClientId at once',
    good: '20 of 20 accepted',
  },
  'polite returns': {
    tried: 'twenty times: DISCONNECT and CONNECT at once with the same ClientId, each with a will',
    good: 'no will',
  },
  'dots in topics': { tried: 'SUBSCRIBE and PUBLISH at QoS 1 to a.b', good: 'delivered' },
  'blanks in topics': { tried: 'the same with `a b`', good: 'delivered' },
  'asterisks in topics': { tried: 'the same with a*b', good: 'delivered' },
  'empty levels in topics': { tried: 'the same with /a//b/', good: 'delivered' },
}

/** A broker of the table. */
export type BrokerName = 'Aedes' | 'Mosquitto' | 'RabbitMQ' | 'NATS' | 'Strict' | 'HiveMQ CE' | 'Artemis'

/** A story that is skipped until the gateway is mended. */
export interface KnownFault {
  /** the beginning of the story's name */
  readonly story: string
  /** only with this version of MQTT */
  readonly version?: '3.1.1' | '5'
  /** what the gateway does instead */
  readonly symptom: string
}

export interface BrokerFacts {
  /** the version that was tried */
  readonly tried: string
  /** what was seen instead of `good`; after "at times: ", what may be seen; every other ability is there */
  readonly lacks: Readonly<Partial<Record<Ability, string>>>
  /** stories that fail with this broker by a fault of the gateway */
  readonly knownFaults: readonly KnownFault[]
}

export const brokerFacts: Readonly<Record<BrokerName, BrokerFacts>> = {
  Aedes: {
    tried: '1.2.0',
    lacks: {
      'MQTT 5': 'CONNACK 1', // unacceptable protocol version; its documentation promises 3.1 and 3.1.1 only
      'wills of lasting sessions': 'no MQTT 5',
      'wills by DISCONNECT': 'no MQTT 5',
      'will delay': 'no MQTT 5',
      'takeover told': 'no MQTT 5',
      'shared subscriptions': 'granted, never delivered', // a plain topic to it; they are of MQTT 5
    },
    knownFaults: [],
  },
  Mosquitto: {
    tried: '2.0.11',
    lacks: { 'takeover told': 'closes without a word' }, // 2.0 gives no reason, not even in MQTT 5
    knownFaults: [],
  },
  RabbitMQ: {
    tried: '3.10.8',
    lacks: {
      'MQTT 5': 'closes the connection', // without CONNACK: its parser crashes; MQTT 5 came with 3.13
      'wills of lasting sessions': 'no MQTT 5',
      'wills by DISCONNECT': 'no MQTT 5',
      'will delay': 'no MQTT 5',
      'takeover told': 'no MQTT 5',
      'QoS 2 towards the broker': 'PUBACK', // its documentation: QoS 2 is treated as QoS 1
      'QoS 2 from the broker': 'grants 1', // the same
      'retained messages for wildcards': 'not sent', // its documentation, "Retained Messages and Stores"
      'shared subscriptions': 'granted, never delivered', // a plain topic to it
      'dots in topics': 'delivered as a/b', // levels become words of an AMQP routing key: "/" and "." are one
      'order across QoS levels': 'at times: out of order', // a session has one queue for QoS 0 and one for QoS 1
      'wildcards without $ topics': 'delivered', // a filter is an AMQP binding, to which $x is a word like another
      'asterisks in topics': 'delivered as a+b', // the same: "*" stands for "+"
    },
    knownFaults: [],
  },
  NATS: {
    tried: '2.9.10',
    lacks: {
      'MQTT 5': 'CONNACK 1', // its documentation: MQTT 3.1.1 only
      'wills of lasting sessions': 'no MQTT 5',
      'wills by DISCONNECT': 'no MQTT 5',
      'will delay': 'no MQTT 5',
      'takeover told': 'no MQTT 5',
      'QoS 2 towards the broker': 'closes the connection', // its log: publish QoS=2 not supported; it came with 2.10
      'QoS 2 from the broker': 'grants 1', // its documentation of 2.9
      'overlapping subscriptions': 'two copies', // MQTT 3.1.1, section 3.3.5, permits it
      'shared subscriptions': 'granted, never delivered', // a plain topic to it
      'prompt repetition': 'not sent again at once', // only after ack_wait, 30 s by default
      'order across QoS levels': 'at times: out of order', // QoS 1 goes through JetStream, QoS 0 beside it
      'wildcards without $ topics': 'delivered', // even its own $JS and $MQTT subjects: # sees all sessions being written
      'quick returns': 'at times: hangs up on some', // its log: unable to connect; who was replaced a moment ago waits 1 s
      'dots in topics': 'SUBSCRIBE: refused, PUBLISH: closes the connection', // its log: ' ' and '.' not supported
      'blanks in topics': 'SUBSCRIBE: refused, PUBLISH: closes the connection', // the same
    },
    knownFaults: [],
  },
  // Our own, as AWS IoT Core and Azure document theirs: see `strict-rules.ts`.
  Strict: {
    tried: 'AWS IoT Core as documented',
    lacks: {
      'QoS 2 towards the broker': 'closes the connection',
      'QoS 2 from the broker': 'grants 1',
      'will delay': 'published at once', // AWS IoT Core has it; nothing here needs it
      'shared subscriptions': 'granted, never delivered', // the same
    },
    knownFaults: [],
  },
  'HiveMQ CE': {
    tried: '2025.5, embedded',
    lacks: {
      'order across QoS levels': 'at times: out of order',
      'polite returns': 'at times: publishes wills', // CONNECT overtakes the end of the other connection
    },
    knownFaults: [],
  },
  Artemis: {
    tried: '2.44.0, embedded, in memory',
    lacks: {
      'overlapping subscriptions': 'two copies', // MQTT 3.1.1, section 3.3.5, permits it
      'wills of lasting sessions': 'at times: not published', // within 9 s, mostly
      'wills by DISCONNECT': 'at times: not published',
      'polite returns': 'at times: publishes wills', // CONNECT overtakes the end of the other connection
      'will delay': 'at times: not published', // within 2.5 s; it looks at sessions every 5 s
    },
    knownFaults: [],
  },
}

/** Whether a broker has an ability; a broker that the table does not know is taken to have all. */
export function hasAbility(broker: string, ability: Ability): boolean {
  return factsOf(broker)?.lacks[ability] === undefined
}

/** What the table knows of a broker. */
export function factsOf(broker: string): BrokerFacts | undefined {
  return Object.entries(brokerFacts).find(([name]) => name === broker)?.[1]
}
