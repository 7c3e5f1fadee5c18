// The sections `queues` and `store`, and `sensors[].spool`: what may wait in the gateway, towards sensors and towards the broker
// [6.14], and where it is kept.

import { z } from 'zod'
import { engineUrl } from './addresses.ts'
import { duration, glob, kind, list, oneOf, size, text, topicFilter, whole, yesNo } from './values.ts'

const messages = () => whole(1, 1_000_000)
const octets = () => size({ min: 256, max: 1024 ** 3 })
const age = () => duration({ min: 1000, max: 3650 * 86_400_000, zero: 'any age' }).prefault('0s')

/** One rule for messages that wait for a sensor; each sensor has such a queue of its own. */
export const queue = z.strictObject({
  match: glob().prefault('*').describe('Pattern of ClientIds, * and ? are wildcards.'),
  topics: list(topicFilter())
    .min(1, { error: 'at least one topic filter' })
    .prefault(['#'])
    .describe('Topic filters; "#" fits every topic, also those that begin with "$".'),
  messages: messages()
    .optional()
    .describe('Messages waiting for one sensor under this rule. Default: `limits.queuedMessages`.'),
  octets: octets().optional().describe('Octets of these. Default: `limits.queuedOctets`.'),
  age: age().describe('Age at which a message is dropped; 0 = at no age.'),
  overflow: oneOf('drop-oldest', 'drop-newest', 'latest-per-topic')
    .prefault('drop-oldest')
    .describe(
      'What makes room: the oldest message (QoS 0 first), or the one that just came; with `latest-per-topic` only the newest message of a topic waits.',
    ),
  qos0: yesNo().prefault(true).describe('Whether messages of QoS 0 wait for a sensor that sleeps.'),
})

/** What a sensor's acknowledged messages may take while they wait for the broker. */
export const spool = z.strictObject({
  messages: messages().prefault(1000).describe('Messages of one sensor that wait for the broker.'),
  octets: octets().prefault('256KiB').describe('Octets of these.'),
  age: age().describe('Age at which such a message is dropped; 0 = at no age.'),
  qos0: yesNo().prefault(false).describe('Keep messages of QoS 0 too while the broker is away.'),
})

/** Where sessions are kept, with all that waits. */
export const store = z.strictObject({
  type: oneOf('lmdb', 'memory', 'postgres')
    .prefault('lmdb')
    .describe(
      'lmdb outlives a stop and a crash of the gateway; postgres also the loss of its machine, as the database is on others; memory forgets everything.',
    ),
  path: text('the name of a folder', 1, 4096)
    .prefault('mqttsn-state')
    .describe(
      'Folder of the store, made if it is missing. Relative to the configuration file, or to the working directory where there is none.',
    )
    .meta(kind({ kind: 'folder' })),
  url: engineUrl()
    .optional()
    .describe(
      'PostgreSQL: where the database is. Of several hosts, `postgres://host1,host2:5433/database`, the one that takes writes is used. Parameters are `sslmode` (disable, require, verify-ca, verify-full), `sslrootcert`, `sslcert`, `sslkey`, and `host` for the folder of a Unix socket.',
    ),
  username: text('a user name', 1, 256)
    .optional()
    .describe(
      'PostgreSQL: the user. It may stand in the url instead, with the password. Default: the name of the database.',
    ),
  password: text('a password', 1, 4096)
    .optional()
    .describe('PostgreSQL: the password of the user.')
    .meta(kind({ kind: 'text', secret: true })),
  replicated: yesNo()
    .optional()
    .describe(
      'PostgreSQL: its storage is itself kept on several machines, so that it needs no synchronous standby. Without one of them the gateway says that acknowledgements are worth less.',
    ),
  heardEvery: z
    .union([z.literal('auto'), duration({ min: 1000, max: 86_400_000 })], {
      error: '"auto", or a duration from 1s to 1d, such as "60s"',
    })
    .prefault('auto')
    .describe(
      'How often it is written that a connected sensor was heard. auto: ten times in its keep-alive (or sleep); with postgres once, and every 60 s at most. Written less often it costs less; a sensor that died is noticed later by as much, after a restart or a takeover only, and a living one is never taken for dead.',
    )
    .meta(kind({ kind: '`"auto"` or duration' })),
})
