// Takes over a changed configuration while the gateway runs: what can hold without ending sessions, at once and as a whole.

import { differences } from '../../config/differences.ts'
import { pathText } from '../../config/reading/path.ts'
import { type Config, type ListenerConfig, REFERENCED } from '../../config/schema.ts'
import type { Log } from '../../log.ts'
import { admissionOf } from '../datagrams/admission.ts'
import type { Link } from '../datagrams/listener.ts'
import type { Gateway } from '../gateway.ts'
import type { Broker } from '../open-broker.ts'
import type { Share } from '../worker-share.ts'

/** What became of a new configuration. Paths, never values: those may be secrets. */
export interface ReloadReport {
  /** paths whose new values hold now */
  readonly applied: readonly string[]
  /** paths whose new values need a restart; the old ones hold */
  readonly waiting: readonly string[]
  /** ClientIds of sensors that were sent away, because they may not be here any more */
  readonly ended: readonly string[]
}

/** The parts of a gateway that a reload changes. */
export interface Reloadable {
  /** the running configuration: its sections are replaced, so that everyone who holds it sees the new ones */
  readonly config: Config
  readonly links: Iterable<Link>
  readonly broker: Pick<Broker, 'renew'> | undefined
  readonly log: Log
  /** it is one of several, and somebody else reports what was applied */
  readonly share?: Share | undefined
}

/** The gateway itself, as far as it is needed. */
type Running = Pick<Gateway, 'surroundings' | 'sessions' | 'dispatch'>

/**
 * Applies what differs between the running configuration and the next, as far as no session has to end for that, and logs
 * paths of what was applied and of what was not. Throws an Error, with nothing changed, if the broker's certificates
 * cannot be used.
 */
export function reload(gateway: Running, parts: Reloadable, next: Config): ReloadReport {
  const { config, broker, log } = parts
  const renewed = renewedConfig(config, next)
  const applied = differences(config, renewed).map(pathText)
  const waiting = differences(renewed, next).map(pathText)
  let ended: string[] = []
  if (applied.some((path) => sectionOf(path) === 'broker')) broker?.renew(renewed.broker)
  Object.assign(config, renewed)
  if (applied.length > 0) ended = renew(gateway, parts)
  const report = { applied, waiting, ended }
  if (parts.share === undefined) logReport(report, log)
  return report
}

/** The next configuration, but with the running values of what needs a restart. */
export function renewedConfig(running: Config, next: Config): Config {
  const { url, version } = running.broker
  // credentials are meant for the broker that they come with, and hold the id of the gateway
  const stays =
    next.broker.url === url && next.broker.version === version && next.gateway.id === running.gateway.id
  return {
    ...running,
    listeners: running.listeners.map((listener, i) => renewedListener(listener, next.listeners[i])),
    ...(stays && { broker: next.broker, sensors: next.sensors }),
    predefined: next.predefined,
    qosMinusOne: next.qosMinusOne,
    timers: next.timers,
    limits: next.limits,
    queues: next.queues,
    log: { ...next.log, format: running.log.format },
    // what stays of the old may be secret too
    [REFERENCED]: [...new Set([...(running[REFERENCED] ?? []), ...(next[REFERENCED] ?? [])])],
  }
}

/** The socket stays as it is; who may use it, and how, can change. */
function renewedListener(running: ListenerConfig, next: ListenerConfig | undefined): ListenerConfig {
  if (next?.url !== running.url || next.name !== running.name) return running
  const { allow, deny, forwarders, roaming, maxMessageSize } = next
  return { ...running, allow, deny, forwarders, roaming, maxMessageSize }
}

function renew(gateway: Running, { config, links, log }: Reloadable): string[] {
  const { surroundings, sessions } = gateway
  log.level = config.log.level
  surroundings.replace(config)
  renewLinks(links, config)
  const ended: string[] = []
  for (const session of [...sessions.byClientId.values()]) {
    session.policy = surroundings.env.policyFor(session.clientId)
    const { policy, peer, clientId } = session
    if (peer !== undefined && (policy.denied || !policy.mayComeFrom(peer.address))) {
      ended.push(clientId)
      gateway.dispatch(session, { type: 'command', command: 'disconnect' })
    } else gateway.dispatch(session, { type: 'deadline' }) // its deadlines follow from timers that may be others now
  }
  return ended
}

/** Who may use the sockets, and how. */
export function renewLinks(links: Iterable<Link>, config: Config): void {
  for (const link of links) {
    const listener = config.listeners[link.index]
    if (listener === undefined) continue
    Object.assign(link, admissionOf(listener))
    Object.assign(link.listener, { roaming: listener.roaming, maxMessage: listener.maxMessageSize })
  }
}

const sectionOf = (path: string): string => /^\w+/.exec(path)?.[0] ?? path

/** Paths and ClientIds named in one line. */
const MOST_NAMED = 20

const named = (all: readonly string[]): object =>
  all.length <= MOST_NAMED
    ? { paths: all }
    : { paths: all.slice(0, MOST_NAMED), more: all.length - MOST_NAMED }

/** One line per section that has changed, one for what needs a restart, one if there is nothing to say. */
export function logReport({ applied, waiting, ended }: ReloadReport, log: Log): void {
  for (const section of new Set(applied.map(sectionOf))) {
    const paths = applied.filter((path) => sectionOf(path) === section)
    log.info(named(paths), `configuration: ${section} applied`)
  }
  if (ended.length > 0) {
    log.info(
      { sensors: ended.slice(0, MOST_NAMED), count: ended.length },
      'sensors sent away by the new rules',
    )
  }
  if (waiting.length > 0)
    log.warn(named(waiting), 'configuration: these changes need a restart of the gateway')
  if (applied.length + waiting.length === 0) log.info('configuration: nothing has changed')
}
