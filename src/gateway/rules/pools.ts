// Connections to the broker that sensors share, as the configuration has them: those of `broker.connections`, and those of rules.

import type { BrokerConfig, Config, SensorRule } from '../../config/schema.ts'
import type { Connections } from '../../config/sections/broker.ts'
import { expandTemplate } from '../../config/sections/template.ts'
import type { PoolOptions } from '../../upstream/aggregating/contract.ts'
import { sharedName } from '../../upstream/aggregating/pools.ts'

const OF_ALL = 'broker'

/** The pool whose connections the sensors of a rule share; undefined: each has a connection of its own. */
export function poolOf(
  rule: Pick<SensorRule, 'match' | 'connections'>,
  broker: BrokerConfig,
): string | undefined {
  if ((rule.connections ?? broker.connections) === 'perSensor') return undefined
  return rule.connections === undefined ? OF_ALL : `sensors ${rule.match}`
}

const sizeOf = ({ shared, publishesPerSecond }: Exclude<Connections, 'perSensor'>) => ({
  count: shared,
  publishesPerSecond,
})

/** All pools, by their names. `ownName`: the gateway's own ClientId, with which theirs begin. */
export function poolsOf(
  { sensors, gateway }: Pick<Config, 'sensors' | 'gateway'>,
  broker: BrokerConfig,
  ownName: string,
): ReadonlyMap<string, PoolOptions> {
  const pools = new Map<string, PoolOptions>()
  const { username, password, connections } = broker
  const gatewayId = gateway.id
  if (connections !== 'perSensor')
    pools.set(OF_ALL, { ...sizeOf(connections), identity: { clientId: `${ownName}-s`, username, password } })
  for (const rule of sensors) {
    const name = rule.connections === undefined ? undefined : poolOf(rule, broker)
    const { connections: own } = rule
    if (name === undefined || own === undefined || own === 'perSensor' || pools.has(name)) continue
    const fill = (text: string | undefined) => text && expandTemplate(text, { gatewayId })
    const { cert, key } = rule
    const isOwn = rule.username !== undefined || cert !== undefined
    const login = isOwn
      ? { username: fill(rule.username), password: fill(rule.password), cert, key }
      : { username, password }
    const clientId = `${ownName}-${digitsOf(rule.match)}-s`
    pools.set(name, { ...sizeOf(own), identity: { clientId, ...login } })
  }
  return pools
}

/** The ClientIds of all of them. */
export const namesOf = (pools: ReadonlyMap<string, PoolOptions>): string[] =>
  [...pools.values()].flatMap(({ count, identity }) =>
    Array.from({ length: count }, (_, index) => sharedName(identity.clientId, index)),
  )

/** What of a configuration decides which sensors share which connections: another value needs a restart. */
export const sharingOf = ({ broker, sensors }: Pick<Config, 'broker' | 'sensors'>): string =>
  JSON.stringify([
    broker.connections,
    ...sensors.flatMap(({ match, connections }) => (connections === undefined ? [] : [[match, connections]])),
  ])

/** Eight digits for a pattern, the same at each start (FNV-1a). */
function digitsOf(text: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}
