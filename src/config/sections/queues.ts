// The section `queues` and `sensors[].spool`: what may wait in the gateway, towards sensors and towards the broker [6.14].

import { z } from 'zod'
import { duration, glob, list, oneOf, size, topicFilter, whole, yesNo } from './values.ts'

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
