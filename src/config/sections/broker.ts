// The section `broker`: which broker, and how its connections are made.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these variables are filled in by the gateway

import { z } from 'zod'
import { brokerUrl, localAddress, networkBrokerUrl } from './addresses.ts'
import { formatDuration, parseDuration } from './units.ts'
import {
  duration,
  kind,
  list,
  nameTemplate,
  oneOf,
  pem,
  size,
  template,
  text,
  whole,
  yesNo,
} from './values.ts'

const tls = z
  .strictObject({
    ca: pem({})
      .optional()
      .describe('Certificates that the broker is checked against. Default: those of the system.')
      .meta({ examples: ['${file:ca.pem}'] }),
    cert: pem({ secret: true }).optional().describe("The gateway's own certificate."),
    key: pem({ secret: true }).optional().describe('Private key of that certificate.'),
    serverName: text('a host name')
      .optional()
      .describe('Name to expect in the certificate, if not the host of the url.'),
    verify: yesNo()
      .prefault(true)
      .describe("Check the broker's certificate. false is for tests: anyone can then pose as the broker."),
  })
  .describe('TLS of mqtts:// and wss:// connections.')

const URLS =
  'mqtt://host:port, mqtts://..., ws://..., wss://... or "embedded", or a list of up to 16 of these urls'
/** What is detected unless it is given. */
const fixedOr = <T extends z.ZodType>(given: T, error: string) =>
  z.union([z.literal('auto'), given], { error }).prefault('auto')
const QOS = 'one of "auto", 0, 1, 2'
const RETAIN = 'one of "auto", true, false'

const VERSION = 'one of "auto", "5", "3.1.1"'

// "never" is MQTT 5's 0xffffffff. Infinity stands for it, so that sums and comparisons need no special case.
const NEVER = Number.POSITIVE_INFINITY
const error = 'a duration from 1s to 49710d, or "never"'
const longest = 49_710 * 86_400_000
const expiry = z
  .codec(
    z.union(
      [z.number().min(0, { error }), z.string().regex(/^(never|\d+(\.\d+)?(ms|s|m|h|d)?)$/, { error })],
      { error },
    ),
    z.custom<number>((value) => typeof value === 'number'),
    {
      decode(value, context) {
        const ms = value === 'never' ? NEVER : (parseDuration(value) ?? 0)
        if (ms === NEVER || (ms >= 1000 && ms <= longest)) return ms
        context.issues.push({ code: 'custom', message: error, input: value })
        return z.NEVER
      },
      encode: (ms) => (ms === NEVER ? 'never' : formatDuration(ms)),
    },
  )
  .meta(kind({ kind: 'duration or `"never"`' }))

const CONNECTIONS = '"perSensor", or { "shared": n } with n from 1 to 1000'

const shared = z.strictObject({
  shared: whole(1, 1000).describe('How many connections sensors share.'),
  publishesPerSecond: whole(1, 1_000_000)
    .optional()
    .describe(
      'Messages that one of them may publish in a second, for brokers that limit it; what is above waits its turn. Default: any number.',
    ),
})

/** One for each sensor, or so many for all of them. */
export const connections = () =>
  z
    .union([z.literal('perSensor'), shared], { error: CONNECTIONS })
    .meta(kind({ kind: '`"perSensor"` or `{ "shared": n }`' }))

/** As it is read. */
export type Connections = z.output<ReturnType<typeof connections>>

/** The long form of the section. */
export const broker = z.strictObject({
  url: z
    .union([brokerUrl(), z.array(networkBrokerUrl()).min(1, { error: URLS }).max(16, { error: URLS })], {
      error: URLS,
    })
    .prefault('mqtt://127.0.0.1:1883')
    .describe(
      'mqtt://, mqtts://, ws:// or wss:// and host and port; or "embedded", a small broker in the gateway for trials. A list of urls: the first is used, and the next one when it cannot be reached.',
    )
    .meta(kind({ kind: 'url, or a list of urls' })),
  returnAfter: duration({ min: 1000, max: 86_400_000, zero: 'never' })
    .prefault('30s')
    .describe(
      'With a list of urls: how long a broker that stands earlier in it must answer before all connections return to it.',
    ),
  localAddresses: list(localAddress(), 64)
    .prefault([])
    .describe(
      'Addresses of this machine that connections to the broker go out from, in turn: each has the ports of `net.ipv4.ip_local_port_range`, some 28,000, see [what limits the number of sensors](operation.md#how-many-sensors). Empty: the system chooses.',
    ),
  connections: connections()
    .prefault('perSensor')
    .describe(
      'One MQTT connection for each sensor; or { "shared": n }: n connections that sensors share, for brokers that limit or bill them. The broker sees no single sensors then, see [shared connections](shared-connections.md). With several workers each has its part of the n, and one at least.',
    ),
  version: z
    .codec(
      z.union([z.enum(['auto', '5', '3.1.1']), z.literal(5)], { error: VERSION }),
      z.enum(['auto', '5', '3.1.1']),
      { decode: (value) => (value === 5 ? '5' : value), encode: (value) => value },
    )
    .prefault('auto')
    .describe('MQTT version. auto tries 5 and falls back to 3.1.1.')
    .meta(kind({ kind: '`"auto"`, `"5"`, `"3.1.1"`' })),
  clientId: nameTemplate(
    ['gatewayId', 'installation'],
    'a ClientId, which may hold ${gatewayId} and ${installation}',
  )
    .prefault('mqttsn-gateway-${gatewayId}-${installation}')
    .describe(
      "ClientId of the gateway's own connection, and of those for QoS -1 messages, with -q and -t behind it [6.8], and of a look at an earlier broker of the list, with -p. No sensor may have one of them. `${installation}` is eight digits made at the first start and kept with the store; without a durable store they are new at each start.",
    ),
  username: nameTemplate(['gatewayId'], 'a user name')
    .optional()
    .describe(
      "User name of the gateway's own connection. It may stand in the url instead, with the password.",
    ),
  password: template(['gatewayId'], 'a password')
    .optional()
    .describe("Password of the gateway's own connection.")
    .meta(kind({ kind: 'template', template: ['gatewayId'], secret: true })),
  tls: tls.optional(),
  keepAlive: duration({ min: 1000, max: 65_535_000, zero: 'off' })
    .prefault('60s')
    .describe('MQTT keep-alive of every connection to the broker; 0 = none.'),
  connectTimeout: duration({ min: 10, max: 300_000 })
    .prefault('4s')
    .describe('How long an attempt to connect may take.'),
  sessionExpiry: expiry
    .prefault('never')
    .describe(
      'MQTT 5: how long the broker keeps the session of a sensor that connected with CleanSession=0.',
    ),
  receiveMaximum: whole(1, 65_535)
    .prefault(10)
    .describe('MQTT 5: messages of QoS 1 and 2 that the broker may have under way per connection.'),
  maximumQos: fixedOr(z.union([z.literal(0), z.literal(1), z.literal(2)]), QOS)
    .describe(
      'Highest QoS that the broker has. auto: what it says in MQTT 5, else 2, and 1 once it has answered QoS 2 as if it were 1.',
    )
    .meta(kind({ kind: '`"auto"`, 0, 1, 2' })),
  retain: fixedOr(z.boolean(), RETAIN)
    .describe('Whether the broker retains messages. auto: what it says in MQTT 5, else true.')
    .meta(kind({ kind: '`"auto"`, true, false' })),
  wildcards: fixedOr(z.boolean(), RETAIN)
    .describe(
      'Whether the broker takes subscriptions with + and #; false: they get 0x03. auto: what it says in MQTT 5, else true.',
    )
    .meta(kind({ kind: '`"auto"`, true, false' })),
  unsupported: oneOf('downgrade', 'refuse')
    .prefault('downgrade')
    .describe(
      "Messages and wills that ask for more than `maximumQos` or `retain`: send them with the broker's highest QoS and without retain, or refuse them with 0x03.",
    ),
  maximumPacketSize: z
    .union([z.literal('auto'), size({ min: 128, max: 268_435_460 })], {
      error: '"auto", or a size from 128 to 268435460, such as "128KiB"',
    })
    .prefault('auto')
    .describe(
      'Octets of the longest packet that the broker takes; longer messages get 0x03. auto: what it says in MQTT 5.',
    )
    .meta(kind({ kind: '`"auto"` or size' })),
  maximumIncomingPacket: size({ min: 1024, max: 16 * 1024 ** 2 })
    .prefault('256KiB')
    .describe(
      'Octets of the longest packet that the broker may send. It is told so in MQTT 5; longer ones that come anyway are acknowledged, dropped and counted. Never less than `maxMessageSize` of a listener needs.',
    ),
  writeBuffer: size({ min: 1024, max: 1024 ** 3 })
    .prefault('1MiB')
    .describe('Octets waiting for the broker per connection, above which sensors are told of congestion.'),
  totalWriteBuffer: size({ min: 65_536, max: 64 * 1024 ** 3 })
    .prefault('64MiB')
    .describe(
      'The same for all connections together: each has an equal share, but never less than the 16 KiB that Node.js writes at once.',
    ),
  grace: duration({ min: 1, max: 86_400_000, zero: 'not at all' })
    .prefault('60s')
    .describe(
      "How long sensors' sessions outlive a lost broker connection before they are told to connect again.",
    ),
  absence: duration({ min: 1000, max: 86_400_000, zero: 'not at all' })
    .prefault('60s')
    .describe(
      'MQTT 5, with a durable store: how long the broker withholds wills and keeps sessions after the gateway is gone without a word. For each sensor 2 ms more, or what `connectsPerSecond` needs, are asked for.',
    ),
  reconnect: z
    .strictObject({
      min: duration({ min: 10, max: 3_600_000 })
        .prefault('1s')
        .describe('Pause after the first failed attempt; doubles with each further one.'),
      max: duration({ min: 10, max: 86_400_000 })
        .prefault('60s')
        .describe('Longest pause between two attempts.'),
    })
    .prefault({})
    .describe('Pauses between attempts to connect.'),
  connectsPerSecond: whole(1, 100_000)
    .prefault(5000)
    .describe('Attempts to connect per second, over all sensors.'),
  connecting: whole(1, 100_000)
    .prefault(100)
    .describe('Attempts to connect under way at once, over all sensors.'),
})
