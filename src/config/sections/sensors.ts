// The sections `sensors`, `predefined`, `qosMinusOne` and `status`: what single sensors are and may do [6.3, 6.7, 6.8].
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these variables are filled in by the gateway

import { z } from 'zod'
import { network } from './addresses.ts'
import { connections } from './broker.ts'
import { spool } from './queues.ts'
import type { Variable } from './template.ts'
import {
  duration,
  glob,
  kind,
  list,
  nameTemplate,
  oneOf,
  pem,
  permissionFilter,
  template,
  text,
  topicFilter,
  topicName,
  whole,
  yesNo,
} from './values.ts'

const ofSensor: readonly Variable[] = ['clientId', 'gatewayId', 'identity']

/** One rule for sensors. */
export const sensor = z.strictObject({
  match: glob()
    .prefault('*')
    .describe('Pattern of ClientIds, * and ? are wildcards. The first rule that fits counts.'),
  name: nameTemplate(['clientId', 'gatewayId'], 'a name, which may hold ${clientId}')
    .optional()
    .describe(
      'What people call them, such as "Meter ${clientId}". Shown in the console, where it can be edited.',
    ),
  description: text('a description of 1 to 500 characters', 1, 500)
    .optional()
    .describe('What people should know of them.'),
  tags: list(text('a word of 1 to 32 characters', 1, 32), 16)
    .prefault([])
    .describe('Words that sensors are found by in the console, such as a building or a kind.'),
  clientId: nameTemplate(ofSensor, 'a ClientId, which may hold ${clientId}, ${identity} and ${gatewayId}')
    .prefault('${clientId}')
    .describe(
      'ClientId at the broker. As it is, a sensor can take the place of any other client of the broker; "sn-${clientId}" gives sensors names of their own.',
    ),
  connections: connections()
    .optional()
    .describe(
      'As `broker.connections`, for these sensors: { "shared": n } are n connections of their own, with the login of this rule if it has one, which may not hold ${clientId} or ${identity} then. Default: `broker.connections`.',
    ),
  username: nameTemplate(ofSensor, 'a user name').optional().describe('User name at the broker.'),
  password: template(ofSensor, 'a password')
    .optional()
    .describe('Password at the broker.')
    .meta(kind({ kind: 'template', template: ofSensor, secret: true }))
    .meta({ examples: ['${env:SENSOR_PASSWORD}'] }),
  cert: pem({ secret: true })
    .optional()
    .describe('Certificate shown to the broker, instead of `broker.tls.cert`.'),
  key: pem({ secret: true }).optional().describe('Private key of that certificate.'),
  from: list(network())
    .prefault([])
    .describe(
      'Networks these sensors may come from, or link addresses of nodes such as "0013a20012345678", "0013a2*" or "5"; empty = any. From elsewhere their CONNECT is refused.',
    ),
  identity: list(
    text('a pattern of identities, which may hold ${clientId}', 1, 256).meta(
      kind({ kind: 'pattern', template: ['clientId'] }),
    ),
  )
    .min(1, { error: 'at least one pattern; ["*"] stands for any sensor that has proved an identity' })
    .optional()
    .describe(
      'Patterns of identities that may use these ClientIds, * and ? are wildcards. Who has proved none is refused then. Default: on links that prove identities (DTLS) the identity must be the ClientId, on others nobody has one.',
    )
    .meta({ examples: [['${clientId}'], ['fleet-7-*']] }),
  publish: list(permissionFilter())
    .optional()
    .describe(
      'Topic filters these sensors may publish to, wills included; one that begins with ! excepts topics. Elsewhere REGISTER, PUBLISH and wills are refused with 0x03. Filters with a variable are left out for sensors whose ClientId or identity holds /, + or #. Default: everything.',
    )
    .meta({ examples: [['sensors/${clientId}/#', '!sensors/${clientId}/admin/#']] }),
  subscribe: list(permissionFilter())
    .optional()
    .describe(
      'The same for what they may subscribe: a subscription is refused unless all that it could match is permitted. Default: everything.',
    )
    .meta({ examples: [['commands/${clientId}/#']] }),
  deny: yesNo().prefault(false).describe('Refuse these sensors: CONNACK 0x03 [5.3.10].'),
  asleepConnect: oneOf('strict', 'resume')
    .prefault('strict')
    .describe(
      'CONNECT of a sleeping sensor: obey its flags, or resume the session whatever they say [6.3, 6.14].',
    ),
  reRegister: oneOf('always', 'ifUnconfirmed', 'never')
    .prefault('ifUnconfirmed')
    .describe(
      'REGISTER again after a re-connection, before the first PUBLISH of a topic. `never` suits RIOT [6.10].',
    ),
  maxMessageSize: whole(16, 65_507)
    .optional()
    .describe(
      'Octets of the longest message that these devices take; longer ones are dropped instead of sent in vain. Default: what the listener allows.',
    ),
  messagesPerWake: whole(1, 1_000_000)
    .optional()
    .describe('Messages delivered per PINGREQ while asleep [6.14]. Default: `limits.messagesPerWake`.'),
  ack: oneOf('broker', 'store')
    .prefault('broker')
    .describe(
      'What an acknowledged QoS 1 or 2 PUBLISH promises: the broker has it, or the gateway has it in its store and forwards it when it can.',
    ),
  spool: spool
    .prefault({})
    .describe(
      'What may wait for the broker of one sensor with `ack` "store". When it is full, QoS 1 and 2 are answered 0x01 (try later).',
    ),
})

/** Status on the broker. */
export const status = z.strictObject({
  enabled: yesNo()
    .prefault(false)
    .describe('Publish the states of gateway and sensors to the broker, retained; the gateway with a will.'),
  prefix: topicName()
    .prefault('mqttsn')
    .describe('First part of the topics: `<prefix>/gateway/<id>/status`, `.../sensor/<ClientId>`.'),
  perSecond: whole(1, 100_000)
    .prefault(200)
    .describe(
      'Status messages per second, all workers together; changes beyond wait, and of each topic only the newest. Less for brokers that allow fewer on one connection.',
    ),
})

/** Devices in Home Assistant. */
export const homeAssistant = z.strictObject({
  discovery: yesNo()
    .prefault(false)
    .describe(
      'Let every sensor, and the gateway, appear in Home Assistant as a device, by MQTT discovery. Switches the status topics on, too, whatever `status.enabled` says.',
    ),
  prefix: topicName()
    .prefault('homeassistant')
    .describe("Discovery prefix, as in the options of Home Assistant's MQTT integration."),
  refresh: duration({ min: 1000, max: 86_400_000, zero: 'never' })
    .prefault('30s')
    .describe(
      'How often a sensor that was heard, or whose queue has changed, gets a new status message between its changes of state; 0 = never.',
    ),
})

/** Topic names by id. Ids 0 and 65535 are reserved [5.3.11]. */
const ID = 'a topic id from "1" to "65534"'
const topics = z
  .record(
    z
      .string()
      .regex(/^[1-9]\d{0,4}$/, { error: ID })
      .refine((id) => Number(id) <= 65_534, { error: ID }),
    topicName(),
    { error: 'an object { "1": "topic name", ... }' },
  )
  .meta(kind({ kind: 'object of topic names by id' }))

const entry = z.strictObject({
  match: glob()
    .prefault('*')
    .describe('Pattern of ClientIds that know these topics; "*" for all, also without connection.'),
  topics: topics
    .prefault({})
    .describe('Topic names by id 1 to 65534. A name may hold ${clientId} unless `match` is "*".')
    .meta({ examples: [{ '1': 'home/button' }] }),
})

/** Predefined topics: entries, or just topics for everyone. */
export const predefined = z.union([list(entry), topics], {
  error: 'a list of { "match": ..., "topics": { ... } }, or an object { "1": "topic name", ... }',
})

/** PUBLISH without connection. */
export const qosMinusOne = z.strictObject({
  enabled: yesNo()
    .prefault(true)
    .describe('Accept PUBLISH with QoS -1 from senders without a connection [6.8].'),
  topics: list(topicFilter()).prefault(['#']).describe('Topic filters such messages may be published to.'),
  from: list(network())
    .prefault([])
    .describe(
      'Networks such messages may come from, or link addresses of nodes; empty = any that the listener allows.',
    ),
  retain: yesNo().prefault(true).describe('false: their retain flag is cleared.'),
  perAddress: whole(1, 1_000_000)
    .prefault(500)
    .describe(
      'Such messages per second from one address, which many senders may share (NAT); each node behind a forwarder has its own.',
    ),
})
