// Home Assistant's side of MQTT discovery, by the rules of its MQTT integration: which topics it looks at, what a payload must
// hold, and which devices and entities follow.

import { z } from 'zod'
import { isTopicName } from '../../src/mqtt-topics.ts'

const text = z.string().min(1)
const topic = z.string().refine(isTopicName)
const template = text.regex(/^\{\{ .+ \}\}$/)

const device = z.strictObject({
  identifiers: z.array(text).min(1),
  name: text,
  manufacturer: text.optional(),
  model: text.optional(),
  sw_version: text.optional(),
  via_device: text.optional(),
})

const entity = {
  unique_id: text,
  name: text,
  entity_category: z.enum(['diagnostic', 'config']).optional(),
  value_template: template,
}

const component = z.discriminatedUnion('platform', [
  z.strictObject({
    platform: z.literal('binary_sensor'),
    ...entity,
    device_class: z.enum(['connectivity', 'problem', 'battery', 'running']),
  }),
  z
    .strictObject({
      platform: z.literal('sensor'),
      ...entity,
      device_class: z.enum(['enum', 'timestamp', 'duration']).optional(),
      options: z.array(text).min(1).optional(),
      state_class: z.enum(['measurement', 'total', 'total_increasing']).optional(),
      unit_of_measurement: text.optional(),
    })
    // the integration refuses these
    .refine(({ device_class, options }) => (device_class === 'enum') === (options !== undefined))
    .refine(
      ({ device_class, state_class, unit_of_measurement }) =>
        (device_class !== 'enum' && device_class !== 'timestamp') ||
        (state_class === undefined && unit_of_measurement === undefined),
    ),
])

/** What stands in the topic of a device. */
const discovery = z.strictObject({
  device,
  origin: z.strictObject({ name: text, sw_version: text.optional() }),
  availability: z.array(z.strictObject({ topic, value_template: template })).optional(),
  state_topic: topic,
  components: z.record(z.string().regex(/^\w+$/), component),
})

export type Discovery = z.output<typeof discovery>

/** The devices that Home Assistant would know after these retained messages; throws at what it would refuse. */
export function devicesOf(
  messages: Iterable<{ readonly topic: string; readonly text: string }>,
  prefix = 'homeassistant',
): Map<string, Discovery> {
  const devices = new Map<string, Discovery>()
  for (const { topic: at, text: payload } of messages) {
    if (!at.startsWith(`${prefix}/`) || at === `${prefix}/status`) continue
    if (!/^device\/(?:[a-zA-Z0-9_-]+\/)?[a-zA-Z0-9_-]+\/config$/.test(at.slice(prefix.length + 1)))
      throw new Error(`Home Assistant does not look at ${at}`)
    if (payload === '') devices.delete(at)
    else devices.set(at, discovery.parse(JSON.parse(payload)))
  }
  const ids = [...devices.values()].flatMap(({ components }) =>
    Object.values(components).map(({ unique_id }) => unique_id),
  )
  if (new Set(ids).size !== ids.length) throw new Error('two entities have one unique_id')
  return devices
}
