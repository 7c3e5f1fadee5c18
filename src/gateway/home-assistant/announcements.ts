// Home Assistant's MQTT discovery, one device per sensor and one for the gateway: topics and payloads. The values stand in the
// status topics; here is only what Home Assistant has to know of them.

import type { Config } from '../../config/schema.ts'
import { STATES } from '../../session/states.ts'
import type { Upstream } from '../../upstream/upstream.ts'
import { version } from '../../version.ts'
import { sensorTopicOf, statusTopicOf } from '../status-topics/topics.ts'
import { objectIdOf } from './object-ids.ts'

/** Everything is announced anew at most so often, milliseconds, however often Home Assistant says that it has come. */
const PAUSE = 10_000

/** Characters of a device's name. */
const LONGEST_NAME = 100

/** What Home Assistant is told; undefined where its discovery is switched off. */
export function createAnnouncements(config: Config, speaks: boolean) {
  const { discovery, prefix } = config.homeAssistant
  const gatewayStatus = statusTopicOf(config)
  if (!discovery || gatewayStatus === undefined) return undefined
  const node = `${objectIdOf(config.status.prefix)}-${config.gateway.id}`
  const origin = { name: 'mqtt-sn-gateway', sw_version: version() }

  const topicOf = (clientId: string): string => `${prefix}/device/${node}/${objectIdOf(clientId)}/config`

  const deviceOf = (clientId: string): object => {
    const id = `${node}:${objectIdOf(clientId)}`
    return {
      device: {
        identifiers: [id],
        name: nameOf(clientId),
        manufacturer: 'MQTT-SN',
        model: 'MQTT-SN sensor',
        via_device: node,
      },
      origin,
      // while the gateway is gone nobody knows anything of its sensors
      availability: [{ topic: gatewayStatus, value_template: '{{ value_json.state }}' }],
      state_topic: sensorTopicOf(config, clientId),
      components: componentsOf(id),
    }
  }

  const gateway = {
    topic: `${prefix}/device/${node}/config`,
    device: {
      device: {
        identifiers: [node],
        name: `MQTT-SN gateway ${config.gateway.id}`,
        manufacturer: 'MQTT-SN',
        model: 'mqtt-sn-gateway',
        sw_version: origin.sw_version,
      },
      origin,
      state_topic: gatewayStatus,
      components: {
        connection: {
          platform: 'binary_sensor',
          unique_id: `${node}:connection`,
          name: 'Connection',
          device_class: 'connectivity',
          entity_category: 'diagnostic',
          value_template: "{{ 'ON' if value_json.state == 'online' else 'OFF' }}",
        },
      },
    },
  }

  return {
    topicOf,
    deviceOf,
    gateway: speaks ? gateway : undefined,
    /** Calls back when Home Assistant has started, and knows nothing of what was said before. */
    onBirth(upstream: Pick<Upstream, 'hearOwn'>, announce: () => void): void {
      let next = 0
      let timer: NodeJS.Timeout | undefined
      upstream.hearOwn(`${prefix}/status`, (payload) => {
        if (timer !== undefined || Buffer.from(payload).toString() !== 'online') return
        const now = performance.now()
        const wait = Math.max(0, next - now)
        next = now + wait + PAUSE
        timer = setTimeout(() => {
          timer = undefined
          announce()
        }, wait).unref()
      })
    },
  }
}

/** The ClientId for people: without characters that are not to be seen. */
function nameOf(clientId: string): string {
  const name = clientId
    .toWellFormed()
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
  if (name === '') return 'MQTT-SN sensor'
  return name.length <= LONGEST_NAME ? name : `${[...name].slice(0, LONGEST_NAME - 1).join('')}…`
}

/** The entities of a sensor's device, each a part of its status message. */
const componentsOf = (id: string): object => ({
  connection: {
    platform: 'binary_sensor',
    unique_id: `${id}:connection`,
    name: 'Connection',
    device_class: 'connectivity',
    entity_category: 'diagnostic',
    value_template: "{{ 'ON' if value_json.state in ['active', 'asleep', 'awake'] else 'OFF' }}",
  },
  state: {
    platform: 'sensor',
    unique_id: `${id}:state`,
    name: 'State',
    device_class: 'enum',
    options: STATES,
    entity_category: 'diagnostic',
    value_template: '{{ value_json.state }}',
  },
  last_seen: {
    platform: 'sensor',
    unique_id: `${id}:last_seen`,
    name: 'Last seen',
    device_class: 'timestamp',
    entity_category: 'diagnostic',
    // "None" is what Home Assistant takes for unknown
    value_template:
      '{{ (value_json.heardAt / 1000) | as_datetime if value_json.heardAt is defined else None }}',
  },
  queue: {
    platform: 'sensor',
    unique_id: `${id}:queue`,
    name: 'Waiting messages',
    state_class: 'measurement',
    unit_of_measurement: 'messages',
    entity_category: 'diagnostic',
    value_template: '{{ value_json.queued }}',
  },
})
