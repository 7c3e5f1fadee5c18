// The whole configuration: one schema, from which types, defaults, messages, documentation and JSON Schema follow.

import { z } from 'zod'
import { cluster } from './cluster/section.ts'
import { brokerUrl } from './sections/addresses.ts'
import { admission } from './sections/admission.ts'
import { broker } from './sections/broker.ts'
import { consoleSection } from './sections/console.ts'
import { listener } from './sections/listener.ts'
import { queue, store } from './sections/queues.ts'
import { homeAssistant, predefined, qosMinusOne, sensor, status } from './sections/sensors.ts'
import { duration, kind, list, oneOf, size, whole, yesNo } from './sections/values.ts'

const DAY = 86_400_000
const timer = (min: number, max: number, initial: string, zero?: string) =>
  duration(zero === undefined ? { min, max } : { min, max, zero }).prefault(initial)

const timers = z.strictObject({
  tRetry: timer(10, 3_600_000, '10s').describe(
    "T_RETRY, how long to wait for a sensor's answer before repeating [6.13].",
  ),
  nRetry: whole(0, 100)
    .prefault(3)
    .describe('N_RETRY, repetitions before giving up: 1 + N_RETRY transmissions [6.13].'),
  tWait: timer(10, DAY, '300s').describe(
    'T_WAIT, how long a sensor that reported congestion is left alone [6.6].',
  ),
  answer: timer(10, 3_600_000, '8s').describe(
    "How long a sensor's request waits for the broker before it gets 0x01.",
  ),
  awake: timer(10, 3_600_000, '30s').describe('Longest time a sleeping sensor is awake per PINGREQ [6.14].'),
  inactivity: timer(1000, 365 * DAY, '0s', 'never').describe(
    'Silence after which a sensor with keep-alive 0 counts as lost; 0 = never [6.11].',
  ),
  keepSessions: timer(1000, 3650 * DAY, '7d').describe(
    'How long the session of a disconnected sensor is kept (CleanSession=0).',
  ),
})

const limits = z.strictObject({
  sensors: whole(1, 10_000_000).prefault(10_000).describe('Sessions, connected or kept.'),
  sensorsPerAddress: whole(1, 10_000_000)
    .optional()
    .describe(
      'Sessions from one source address, connected or kept; each node behind a forwarder is a source of its own. Raise it if most sensors share one translated address (NAT). Default: three quarters of `limits.sensors`.',
    ),
  clientIdLength: whole(1, 1024)
    .prefault(64)
    .describe(
      'Octets of UTF-8 in a ClientId; longer ones get 0x03. The specification allows 23, many clients send more [5.3.1].',
    ),
  topicsPerSensor: whole(1, 65_534).prefault(256).describe('Topic names registered per sensor [6.5].'),
  subscriptionsPerSensor: whole(1, 65_534).prefault(64).describe('Subscriptions per sensor [6.9].'),
  queuedMessages: whole(1, 1_000_000)
    .prefault(100)
    .describe('Messages waiting for one sensor, all rules in `queues` together [6.14].'),
  queuedOctets: size({ min: 256, max: 1024 ** 3 })
    .prefault('64KiB')
    .describe('Octets waiting for one sensor, all rules in `queues` together.'),
  totalQueuedMessages: whole(1, 100_000_000)
    .prefault(100_000)
    .describe('Messages waiting for all sensors together.'),
  totalQueuedOctets: size({ min: 256, max: 64 * 1024 ** 3 })
    .prefault('64MiB')
    .describe('Octets waiting for all sensors together.'),
  unprovenOctets: size({ min: 0, max: 1024 ** 3 })
    .prefault('4KiB')
    .describe(
      'Octets per minute, headers included, of messages to a sensor whose address has not shown that it hears, by an answer or a topic id that cannot be guessed; 0 = no limit.',
    ),
  totalSpooledMessages: whole(1, 100_000_000)
    .prefault(1_000_000)
    .describe(
      'Messages of all sensors together that wait for the broker in the store (`sensors[].ack`: "store"). Each takes some 100 octets of memory; contents lie on the disk.',
    ),
  totalSpooledOctets: size({ min: 256, max: 1024 ** 4 })
    .prefault('4GiB')
    .describe('Octets of these. What is above is refused with 0x01.'),
  totalDeadLetters: whole(1, 100_000_000)
    .prefault(100_000)
    .describe(
      'Dead letters of all sensors together. Above it the sensor that has most loses its oldest. Each takes some 300 octets of memory; contents lie on the disk.',
    ),
  totalDeadLetterOctets: size({ min: 256, max: 1024 ** 4 })
    .prefault('1GiB')
    .describe('Octets of these.'),
  inflight: whole(1, 64).prefault(10).describe('Requests of one sensor to the broker under way at once.'),
  messagesPerWake: whole(1, 1_000_000)
    .prefault(100)
    .describe('Messages delivered per PINGREQ of a sleeping sensor, unless its rule says otherwise [6.14].'),
  connectsPerAddress: whole(1, 1_000_000)
    .prefault(1000)
    .describe('New connections per second from one address, and as many at once. More are dropped.'),
  repliesPerAddress: whole(1, 1_000_000)
    .prefault(100)
    .describe('Answers per second to one address without connection (DISCONNECT, GWINFO).'),
  repliesPerPeer: whole(1, 1_000_000).prefault(1).describe('The same per address and port.'),
  waitingDatagrams: whole(1, 1_000_000)
    .prefault(10_000)
    .describe(
      'Datagrams of sensors that may wait to be handled, each for a second at most. What is above is refused with 0x01 or dropped.',
    ),
  waitingOctets: size({ min: 65_536, max: 1024 ** 3 })
    .prefault('16MiB')
    .describe('Octets of these.'),
})

const log = z.strictObject({
  level: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent')
    .prefault('info')
    .describe('Least level to log.'),
  format: oneOf('auto', 'pretty', 'json')
    .prefault('auto')
    .describe('pretty for people, json for machines (one object per line); auto: pretty on a terminal.'),
  payloads: yesNo()
    .prefault(false)
    .describe('Log the contents of messages too, at level trace. They may be confidential.'),
})

/** The configuration as written in the file (input) and after defaults and units are applied (output). */
export const configSchema = z
  .strictObject({
    $schema: z.string().optional().describe('For editors: path of the JSON Schema. The gateway ignores it.'),
    gateway: z
      .strictObject({
        id: whole(0, 255)
          .prefault(1)
          .describe('GwId. Gateways active on the same network need different ones [5.3.6, 6.1].'),
        warmUp: duration({ min: 10, max: 10_000, zero: 'no rehearsal' })
          .prefault('300ms')
          .describe(
            'How long the gateway rehearses with sensors of its own before it serves: the first messages are as fast as later ones.',
          ),
        udp: oneOf('auto', 'simple', 'batched')
          .prefault('auto')
          .describe(
            'How datagrams are received and sent: simple, each by itself; batched, many with one system call, for which `npm run native` has to be run once in the folder of the package, on Linux with a C compiler; auto: batched where that was done.',
          ),
      })
      .prefault({})
      .describe('The gateway itself.'),
    listeners: list(listener, 32) // no more: a sensor's address and its listener's number must fit one number (peerKey)
      .min(1, { error: 'at least one listener' })
      .prefault([{}])
      .describe('Where sensors are heard. One entry per UDP socket.'),
    broker: z
      .union([brokerUrl(), broker], { error: 'an object { ... }, or the url as text' })
      .prefault({})
      .describe(
        'The MQTT broker, where every sensor gets a connection of its own. An object, or just the url as text.',
      ),
    sensors: list(sensor, 10_000)
      .prefault([])
      .describe(
        'Rules per ClientId; the first that fits counts. A last rule "*" with defaults is added if there is none.',
      ),
    admission: admission
      .prefault({})
      .describe('Which sensors may connect at all. Without a list and a service: all that no rule denies.'),
    predefined: predefined
      .prefault([])
      .describe('Predefined topic ids [6.7]. A list of entries, or just an object of topics for everyone.'),
    qosMinusOne: qosMinusOne.prefault({}).describe('Messages from senders without a connection [6.8].'),
    timers: timers.prefault({}).describe('Times. Names as in the specification where it has one [7.2].'),
    limits: limits.prefault({}).describe('Everything that grows has a bound.'),
    queues: list(queue)
      .prefault([])
      .describe(
        'How messages wait for sensors. The first rule that fits both ClientId and topic counts; without one, the oldest message makes room. `limits.queuedMessages` and `limits.queuedOctets` hold for all messages of a sensor together.',
      ),
    store: store.prefault({}).describe('Where sessions and waiting messages are kept.'),
    cluster: cluster
      .optional()
      .describe(
        'Several gateways that share a database: one serves, the others stand by and take over when it is gone; or, with `listen`, each serves its share. For `store.type` "postgres" only.',
      ),
    workers: z
      .union([z.int().min(1).max(64), z.literal('auto')], { error: 'a whole number from 1 to 64, or "auto"' })
      .prefault(1)
      .describe(
        'Threads that serve sensors, each its share of them. 1: everything in one thread. More: one further thread receives and sends. auto: as many as the machine has cores, less one.',
      )
      .meta(kind({ kind: 'whole number or `"auto"`' })),
    status: status.prefault({}).describe('Status topics at the broker.'),
    homeAssistant: homeAssistant.prefault({}).describe('Sensors as devices in Home Assistant.'),
    console: consoleSection
      .prefault({})
      .describe('Metrics, health, API and console page over HTTP, on loopback unless told otherwise.'),
    log: log.prefault({}).describe('The log.'),
  })
  .describe('Configuration of mqtt-sn-gateway.')

type Parsed = z.output<typeof configSchema>

/** One listener, with what follows from its url filled in. */
export type ListenerConfig = Omit<z.output<typeof listener>, 'name' | 'maxMessageSize'> & {
  name: string
  maxMessageSize: number
}
/** The broker section in its long form; `url` carries no user information. */
export type BrokerConfig = z.output<typeof broker>
/** One rule for sensors. */
export type SensorRule = z.output<typeof sensor>
/** One rule for messages that wait for sensors. */
export type QueueRule = z.output<typeof queue>
/** Predefined topics of the sensors that a pattern fits; ids are decimal text. */
export interface PredefinedTopics {
  match: string
  topics: Record<string, string>
}

/** Paths of values that came from `${env:...}` or `${file:...}`; enumerable, so that copies of a Config keep it. */
export const REFERENCED = Symbol('referenced')

/**
 * The effective configuration: all defaults applied, durations in milliseconds, sizes in octets, `store.path` absolute. That
 * of a running gateway is one object, whose sections a reload replaces.
 */
export interface Config extends Omit<Parsed, '$schema' | 'listeners' | 'broker' | 'predefined'> {
  listeners: ListenerConfig[]
  broker: BrokerConfig
  predefined: PredefinedTopics[]
  [REFERENCED]?: readonly string[]
}
