// What the session core is told from outside: settings, policies per sensor, shared totals. Pure types.

import type { Permission } from './topics/permission.ts'

/** All times in milliseconds. Names as in chapter 7.2 where it has one. */
export interface Timers {
  readonly tRetry: number
  /** repetitions, so 1 + nRetry transmissions in all [SN-RTX-2] */
  readonly nRetry: number
  /** how long a sensor that reported congestion is left alone [6.6] */
  readonly tWait: number
  /** how long a CONNECT waits for the broker [SN-MAP-6] */
  readonly connect: number
  /** how long other requests wait for the broker [SN-RTX-6] */
  readonly answer: number
  /** longest awake time per PINGREQ [SN-SLP-8] */
  readonly awake: number
  /** silence after which a sensor with keep-alive 0 is lost; 0 = never [SN-KA-4] */
  readonly inactivity: number
  /** how long a disconnected sensor's stored session is kept [AMB-34] */
  readonly keepSessions: number
  /** how long sessions outlive the broker connection [AMB-29] */
  readonly grace: number
  readonly reconnectMin: number
  readonly reconnectMax: number
}

/** Everything that grows is bounded by one of these. */
export interface Limits {
  readonly sensors: number
  /** of these from one source address, each node behind a forwarder by itself */
  readonly sensorsPerAddress: number
  /** octets of UTF-8 [AMB-5] */
  readonly clientIdLength: number
  readonly topicsPerSensor: number
  readonly subscriptionsPerSensor: number
  readonly queuedMessages: number
  readonly queuedOctets: number
  readonly totalQueuedMessages: number
  readonly totalQueuedOctets: number
  /** octets per minute to an address that has not shown that it hears; 0 = no limit */
  readonly unprovenOctets: number
  readonly totalSpooledMessages: number
  readonly totalSpooledOctets: number
  readonly totalDeadLetters: number
  readonly totalDeadLetterOctets: number
  /** QoS 1 and 2 PUBLISHes, and SUBSCRIBEs, of one sensor under way at once [SN-PUB-13] */
  readonly inflight: number
  /** new connections per second from one address */
  readonly connectsPerAddress: number
  /** answers to unconnected senders per second: to one address, and to one address and port */
  readonly repliesPerAddress: number
  readonly repliesPerPeer: number
}

/** Predefined topic ids, both ways [6.7]. */
export interface Predefined {
  readonly byId: ReadonlyMap<number, string>
  readonly byName: ReadonlyMap<string, number>
}

/** QoS -1 without a connection [6.8]. */
export interface QosMinusOne {
  readonly enabled: boolean
  /** topic filters that unconnected senders may publish to */
  readonly topics: readonly string[]
  mayComeFrom(address: string, nodeId?: Uint8Array): boolean
  /** false: the retain flag is cleared */
  readonly retain: boolean
  /** messages per second from one address */
  readonly perAddress: number
}

export interface Settings {
  readonly timers: Timers
  readonly limits: Limits
  /** the global table, which unconnected senders use too [SN-QM1-7] */
  readonly predefined: Predefined
  readonly qosMinusOne: QosMinusOne
  /** whether every CONNECT waits for an answer from outside whether its sensor may be here */
  readonly asksAdmission: boolean
}

/** Whom rules are looked up for; a session is one. */
export interface Who {
  readonly clientId: string
  /** who its sensor has proved to be, where its link can tell */
  readonly identity?: string | undefined
  /** the rule that an admission named for it, by its `match` */
  readonly rule?: string | undefined
}

/** What the configuration's rules say of one sensor. */
export interface Policy {
  readonly denied: boolean
  mayComeFrom(address: string, nodeId?: Uint8Array): boolean
  /** whether a sensor that has proved this identity, or none, may have the ClientId */
  mayBe(identity: string | undefined): boolean
  /** what it may publish to, wills included; undefined: anything */
  readonly publish?: Permission | undefined
  /** what it may subscribe; undefined: anything */
  readonly subscribe?: Permission | undefined
  /** CONNECT from a sleeping sensor: honour CleanSession, or resume whatever it says [AMB-1] */
  readonly asleepConnect: 'strict' | 'resume'
  /** REGISTER before the first PUBLISH of a topic in a connection [AMB-7] */
  readonly reRegister: 'always' | 'ifUnconfirmed' | 'never'
  /** the global ids and those for this sensor */
  readonly predefined: Predefined
  /** how messages of this topic wait for the sensor; the same object for the same rule */
  queueFor(topic: string): QueuePolicy
  /** octets of the longest message that the device takes; undefined: what its link can carry */
  readonly maxMessageSize?: number | undefined
  readonly messagesPerWake: number
  /** what an acknowledgement of a QoS 1 or 2 PUBLISH promises: the broker has it, or the gateway has it durably */
  readonly ack: 'broker' | 'store'
  readonly spool: SpoolPolicy
  /** the connections to the broker that it shares with others, by their name; undefined: it has one of its own */
  readonly pool?: string | undefined
  /** how often it is written that it was heard: milliseconds, or once in its keep-alive; undefined: ten times in that */
  readonly heardEvery?: number | 'keepAlive' | undefined
}

/** How messages wait for one sensor, among those under the same rule [SN-SLP-7, -14]. */
export interface QueuePolicy {
  readonly messages: number
  readonly octets: number
  /** milliseconds after which one is too old; Infinity = never */
  readonly age: number
  readonly overflow: 'drop-oldest' | 'drop-newest' | 'latest-per-topic'
  /** whether QoS 0 waits for a sensor that sleeps */
  readonly qos0: boolean
}

/** What may wait of one sensor for the broker after it was acknowledged; beyond that the sensor is told to try later. */
export interface SpoolPolicy {
  readonly messages: number
  readonly octets: number
  /** milliseconds; Infinity = never too old */
  readonly age: number
  /** whether QoS 0 waits too */
  readonly qos0: boolean
}

/** Counts over all sessions, kept by the core so that the limits over all can be obeyed. */
export interface Totals {
  queuedMessages: number
  queuedOctets: number
}

/** The core's surroundings: one object for the life of a gateway. */
export interface Env {
  readonly settings: Settings
  readonly totals: Totals
  /** what waits of all sensors in the store for the broker */
  readonly spooled: { messages: number; octets: number }
  /** dead letters of all sensors */
  readonly deadLetters: { messages: number; octets: number }
  policyFor(who: Who): Policy
  /** the ClientId that this sensor has at the broker */
  nameAtBroker(who: Who): string
  /** whether the gateway itself has this ClientId at the broker */
  isOwnName(name: string): boolean
  /** 0 <= x < 1 */
  random(): number
}
