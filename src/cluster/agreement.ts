// What all nodes must have in common, so that each can go on with what another one has stored.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these variables are filled in by the gateway

import { createHash } from 'node:crypto'
import { clusterOf } from '../config/cluster/section.ts'
import type { Config } from '../config/schema.ts'
import type { Member } from './judging/engine.ts'

/** What a member says of its configuration. */
interface Said {
  /** the names of its listeners, sorted: sessions are stored with them */
  readonly listeners: readonly string[]
  /** what decides the slots of sensors: a hash. Two nodes of different opinions would both serve one sensor */
  readonly naming?: string | undefined
  /** what else should be the same, by its key: a hash */
  readonly rest: Readonly<Record<string, string>>
}

/** In one word, for `Member.config`. */
export function agreementOf(config: Config): string {
  const { gateway, predefined, sensors, queues, qosMinusOne, timers, broker } = config
  const all = { 'gateway.id': gateway.id, predefined, sensors, queues, qosMinusOne, timers }
  const { lease, hold } = clusterOf(config)
  const ofBroker = { 'broker.url': broker.url, 'broker.version': broker.version }
  const ofCluster = { 'cluster.lease': lease, 'cluster.hold': hold }
  const told = { ...all, ...ofBroker, ...ofCluster, 'listeners[].dtls': secureSides(config) }
  const said: Said = {
    listeners: config.listeners.map(({ name }) => name).sort(),
    naming: hashOf(namesOf(config)),
    rest: Object.fromEntries(Object.entries(told).map(([key, value]) => [key, hashOf(value)])),
  }
  return JSON.stringify(said)
}

/** What of the rules decides names at the broker: rules that give no other names may differ. */
function namesOf({ sensors, gateway }: Config): unknown {
  const rules = sensors.map(({ match, clientId }) => [
    match,
    clientId.includes('identity') ? '${clientId}' : clientId,
  ])
  const templates = [...new Set(rules.map(([, template]) => template))]
  const gatewayId = templates.some((template) => template?.includes('gatewayId')) && gateway.id
  return [gatewayId, templates.length > 1 ? rules : (templates[0] ?? '${clientId}')]
}

/** What of DTLS sessions depend on that go from node to node; nothing secret. */
const secureSides = ({ listeners }: Config): object[] =>
  listeners
    .flatMap(({ name, dtls }) => {
      if (dtls === undefined) return []
      const { connectionId, identity, forwarders } = dtls
      return [{ name, connectionId, identity, forwarders }]
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))

const hashOf = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(value) ?? '')
    .digest('hex')
    .slice(0, 12)

/** Undefined if it cannot be read; what comes from another version may have another shape. */
function read(config: string | undefined): Said | undefined {
  try {
    const { listeners, naming, rest } = JSON.parse(config ?? '{}') as Partial<Said>
    if (!Array.isArray(listeners)) return undefined
    return { listeners, naming, rest: typeof rest === 'object' && rest !== null ? rest : {} }
  } catch {
    return undefined
  }
}

/**
 * Throws an Error if a living member names its listeners otherwise: every sensor of the one would be a stranger to the other. `now`: the
 * engine's time.
 */
export function insistOnNames(own: string, members: readonly Member[], now: number, node: string): void {
  const names = read(own)?.listeners.join(', ')
  for (const { node: other, config, expires } of members) {
    const theirs = read(config)?.listeners.join(', ')
    if (other === node || expires < now || theirs === undefined || theirs === names) continue
    throw new Error(
      `listeners[].name: the listeners are called ${names} here and ${theirs} at node ${other}, but sessions are stored with these names: give them the same in all nodes`,
    )
  }
}

/** Throws an Error if a living member has other names for sensors at the broker, which decide their slots. As above. */
export function insistOnSlots(own: string, members: readonly Member[], now: number, node: string): void {
  const naming = read(own)?.naming
  for (const { node: other, config, expires } of members) {
    const theirs = read(config)?.naming
    if (other === node || expires < now || theirs === undefined || theirs === naming) continue
    throw new Error(
      `sensors[].clientId: sensors have other names at the broker here than at node ${other} (gateway.id may be a part of them), and these decide which node serves a sensor: make them the same in all nodes, and stop all of them to change that`,
    )
  }
}

/** Throws an Error if a living member shares the slots and this node does not, or the other way round. `link`: of this node. */
export function insistOnKind(
  link: string | undefined,
  members: readonly Member[],
  now: number,
  node: string,
): void {
  for (const { node: other, link: theirs, expires } of members) {
    if (other === node || expires < now || (theirs === undefined) === (link === undefined)) continue
    const which = link === undefined ? `node ${other} has one, and this one none` : `node ${other} has none`
    throw new Error(
      `cluster.listen: ${which}: give it to all nodes, or to none; stop all of them to change that`,
    )
  }
}

/** The keys of the configuration in which a member differs; none if it does not say anything. */
export function differencesOf(own: string, { config }: Pick<Member, 'config'>): string[] {
  const [ours, theirs] = [read(own), read(config)]
  if (ours === undefined || theirs === undefined) return []
  const [a, b] = [tableOf(ours), tableOf(theirs)]
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => a[key] !== b[key])
}

const tableOf = ({ listeners, rest }: Said): Record<string, unknown> => ({
  'listeners[].name': JSON.stringify(listeners),
  ...rest,
})
