// Where the other nodes reach this one, as they are told.

import { clusterOf, isEverywhere, readLinkUrl } from '../../config/cluster/section.ts'
import type { Config } from '../../config/schema.ts'

/**
 * `host:port`; undefined where one node serves at a time. `local`: the address from which this machine speaks to the engine, for a node
 * that listens at all of its addresses. `port`: the one that was bound, if the configuration says any.
 */
export function linkAddress(config: Config, local: string | undefined, bound?: number): string | undefined {
  const { listen, advertise } = clusterOf(config)
  const address = readLinkUrl(advertise ?? listen ?? '')
  if (address === undefined) return undefined
  const { host, port } = address
  const told = isEverywhere(host) ? (local ?? host) : host
  return `${told.includes(':') ? `[${told}]` : told}:${port === 0 ? (bound ?? 0) : port}`
}
