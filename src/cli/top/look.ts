// What `mqttsn top` asks of a running gateway.

import type { ClusterInfo } from '../../console/contract/cluster.ts'
import type { BrokerInfo, GatewayInfo, ListenerInfo } from '../../console/contract/gateway.ts'
import type { SensorQuery, SensorSummary } from '../../console/contract/sensors.ts'
import { askJson, LiveError, type LiveFlags } from '../running/api.ts'

/** The sensors that fit a query: how many there are, and the part of them that was asked for. */
export interface SensorPage {
  readonly total: number
  readonly items: readonly SensorSummary[]
}

/** A gateway at one moment. */
export interface Snapshot {
  /** milliseconds since 1970 */
  readonly at: number
  readonly gateway: GatewayInfo
  readonly broker: BrokerInfo
  readonly listeners: readonly ListenerInfo[]
  readonly sensors: SensorPage
  /** the nodes of several gateways that are one; undefined: there are no others */
  readonly cluster?: ClusterInfo | undefined
}

/** Asks for everything at once. Rejects with LiveError. */
export async function takeSnapshot(
  flags: LiveFlags,
  query: SensorQuery,
  signal: AbortSignal,
): Promise<Snapshot> {
  const [gateway, broker, listeners, sensors, cluster] = await Promise.all([
    askJson<GatewayInfo>(flags, '/api/gateway', signal),
    askJson<BrokerInfo>(flags, '/api/broker', signal),
    askJson<ListenerInfo[]>(flags, '/api/listeners', signal),
    lookAtSensors(flags, query, signal),
    lookAtNodes(flags, signal),
  ])
  return { at: Date.now(), gateway, broker, listeners, sensors, ...(cluster && { cluster }) }
}

/** What it is part of; nothing where it is alone, or older than nodes are. */
async function lookAtNodes(flags: LiveFlags, signal: AbortSignal): Promise<ClusterInfo | undefined> {
  try {
    return await askJson<ClusterInfo>(flags, '/api/cluster', signal)
  } catch (error) {
    if (error instanceof LiveError && error.status === 404) return undefined
    throw error
  }
}

/** Asks for sensors alone. Rejects with LiveError. */
export function lookAtSensors(
  flags: LiveFlags,
  query: SensorQuery,
  signal: AbortSignal,
): Promise<SensorPage> {
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') parameters.set(name, String(value))
  }
  return askJson<SensorPage>(flags, `/api/sensors?${parameters}`, signal)
}
