// What all nodes must have in common, so that each can go on with what another one has stored.

import { createHash } from 'node:crypto'
import type { Config } from '../config/schema.ts'
import type { Member } from './judging/engine.ts'

/** What a member says of its configuration. */
interface Said {
  /** the names of its listeners, sorted: sessions are stored with them */
  readonly listeners: readonly string[]
  /** a hash of what else should be the same */
  readonly rest: string
}

/** In one word, for `Member.config`. */
export function agreementOf(config: Config): string {
  const { gateway, predefined, sensors, queues, qosMinusOne, timers, broker } = config
  const { url, version } = broker
  const rest = { id: gateway.id, predefined, sensors, queues, qosMinusOne, timers, url, version }
  const said: Said = {
    listeners: config.listeners.map(({ name }) => name).sort(),
    rest: createHash('sha256').update(JSON.stringify(rest)).digest('hex').slice(0, 16),
  }
  return JSON.stringify(said)
}

function read(config: string | undefined): Said | undefined {
  try {
    return config === undefined ? undefined : (JSON.parse(config) as Said)
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

/** Whether what a member says differs in anything. */
export const differs = (own: string, { config }: Member): boolean =>
  config !== undefined && JSON.stringify(read(config)) !== JSON.stringify(read(own))
