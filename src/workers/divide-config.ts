// The configuration of one worker: limits that hold for all sensors together are divided by the number of workers.

import type { Config } from '../config/schema.ts'
import type { Connections } from '../config/sections/broker.ts'
import { workerName } from '../gateway/open-broker.ts'

/** A hash spreads the sensors unevenly, and no worker may be full while another one has room. */
const UNEVEN = 1.25

/** Octets of the largest datagram, which must always fit. */
const LARGEST = 65_536

/** The address of the broker that the gateway has started itself. */
export interface EmbeddedAt {
  readonly url: string
}

/** The configuration of worker `index` of `count`. The first one speaks for all: it alone takes part in discovery. */
export function divideConfig(
  config: Config,
  index: number,
  count: number,
  embedded: EmbeddedAt | undefined,
): Config {
  const { limits, broker, listeners } = config
  const divided = (total: number) => Math.max(1, Math.ceil(total / count))
  return {
    ...config,
    listeners: index === 0 ? listeners : listeners.map((one) => ({ ...one, discovery: undefined })),
    broker: {
      ...broker,
      ...(broker.url === 'embedded' && embedded !== undefined && { url: embedded.url, version: '3.1.1' }),
      clientId: workerName(broker.clientId, index),
      connections: shareOf(broker.connections, count),
      connectsPerSecond: divided(broker.connectsPerSecond),
      connecting: divided(broker.connecting),
      totalWriteBuffer: divided(broker.totalWriteBuffer),
    },
    sensors: config.sensors.map((rule) => ({
      ...rule,
      ...(rule.connections !== undefined && { connections: shareOf(rule.connections, count) }),
    })),
    status: { ...config.status, perSecond: divided(config.status.perSecond) },
    limits: {
      ...limits,
      sensors: divided(limits.sensors * UNEVEN),
      ...(limits.sensorsPerAddress !== undefined && {
        sensorsPerAddress: divided(limits.sensorsPerAddress * UNEVEN),
      }),
      totalQueuedMessages: divided(limits.totalQueuedMessages),
      totalQueuedOctets: divided(limits.totalQueuedOctets),
      totalSpooledMessages: divided(limits.totalSpooledMessages),
      totalSpooledOctets: divided(limits.totalSpooledOctets),
      totalDeadLetters: divided(limits.totalDeadLetters),
      totalDeadLetterOctets: divided(limits.totalDeadLetterOctets),
      waitingDatagrams: divided(limits.waitingDatagrams),
      waitingOctets: Math.max(LARGEST, divided(limits.waitingOctets)),
    },
  }
}

/** Of connections that sensors share, each worker has as many as the others, and one at least. */
const shareOf = (connections: Connections, count: number): Connections =>
  connections === 'perSensor'
    ? connections
    : { ...connections, shared: Math.ceil(connections.shared / count) }
