// Takes over a changed configuration while the gateway runs: everything that needs no session to end, at once and as a whole.

import { differences } from '../../config/differences.ts'
import { type Path, pathText } from '../../config/reading/path.ts'
import { type Config, type ListenerConfig, REFERENCED } from '../../config/schema.ts'
import type { Log } from '../../log.ts'
import type { Event } from '../../session/events.ts'
import type { Session } from '../../session/session.ts'
import { whyBarred } from '../../sessions/connect/takeover.ts'
import type { Sessions } from '../../sessions/table.ts'
import type { Admissions } from '../admission/admit.ts'
import { admissionOf } from '../datagrams/admission.ts'
import { type BoundListener, type SecureParts, secureServerOf } from '../datagrams/listener.ts'
import type { OpenedBroker } from '../open-broker.ts'
import type { WorkerShare } from '../worker-share.ts'
import { becomeLine, canBecomeLine, changeLine } from './line-changes.ts'
import { sharingOf } from './pools.ts'
import type { SensorRules } from './sensor-rules.ts'

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
  readonly listeners: Iterable<BoundListener>
  readonly broker: Pick<OpenedBroker, 'renew' | 'ownNames'> | undefined
  readonly log: Log
  /** it is one of several, and somebody else reports what was applied */
  readonly share?: WorkerShare | undefined
  readonly secure: SecureParts
}

/** The gateway itself, as far as it is needed. */
interface Running {
  readonly rules: SensorRules
  readonly admissions: Admissions
  readonly sessions: Sessions
  dispatch(session: Session, event: Event): void
}

/**
 * Applies what differs between the running configuration and the next, as far as no session has to end for that, and logs
 * paths of what was applied and of what was not. Throws an Error, with nothing changed, if the broker's certificates
 * cannot be used.
 */
export function reloadConfig(gateway: Running, parts: Reloadable, next: Config): ReloadReport {
  const { config, broker, log } = parts
  const renewed = renewedConfig(config, next)
  const applied = differences(config, renewed).map(pathText)
  const waiting = differences(renewed, next).map(pathText)
  let ended: string[] = []
  if (applied.some((path) => sectionOf(path) === 'broker')) broker?.renew(renewed.broker)
  Object.assign(config, renewed)
  if (broker !== undefined) gateway.rules.reserve(broker.ownNames)
  if (applied.length > 0) ended = renew(gateway, parts)
  renewSecureLinks(parts.listeners, config, parts.secure)
  const report = { applied, waiting, ended }
  if (parts.share === undefined) logReload(report, log)
  return report
}

/** The next configuration, but with the running values of what needs a restart. */
export function renewedConfig(running: Config, next: Config): Config {
  const { url, version } = running.broker
  // credentials belong to the broker that they are configured with, and may contain the id of the gateway
  const isSameBroker = String(next.broker.url) === String(url) && next.broker.version === version
  const isAlike = next.gateway.id === running.gateway.id && sharingOf(next) === sharingOf(running)
  const stays = isSameBroker && isAlike
  return {
    ...running,
    listeners: running.listeners.map((listener, i) => renewedListener(listener, next.listeners[i])),
    ...(stays && { broker: next.broker, sensors: next.sensors }),
    admission: next.admission,
    predefined: next.predefined,
    qosMinusOne: next.qosMinusOne,
    timers: next.timers,
    limits: next.limits,
    queues: next.queues,
    log: { ...next.log, format: running.log.format },
    // values of the running configuration that stay may be secret too
    [REFERENCED]: [...new Set([...(running[REFERENCED] ?? []), ...(next[REFERENCED] ?? [])])],
  }
}

/** Of a listener and of the log, what a reload applies and what it does not. */
const LIVE_LISTENER = new Set<unknown>(['allow', 'deny', 'forwarders', 'roaming', 'maxMessageSize'])
const LIVE_SECTIONS = new Set<unknown>(['sensors', 'predefined', 'qosMinusOne', 'timers', 'limits', 'queues'])

/** Whether another value of this key takes effect at the next start only; see `renewedConfig`. */
export function needsRestart([section, first, second]: Path): boolean {
  if (section === 'listeners') return !LIVE_LISTENER.has(second)
  if (section === 'broker') return first === 'url' || first === 'version' || first === 'connections'
  if (section === 'sensors' && second === 'connections') return true
  if (section === 'log') return first === 'format'
  return !LIVE_SECTIONS.has(section)
}

/** The next listener, but with the socket of the running one. */
function renewedListener(running: ListenerConfig, next: ListenerConfig | undefined): ListenerConfig {
  if (next === undefined) return running
  const isLine = canBecomeLine(running, next)
  if (!isLine && (next.url !== running.url || next.name !== running.name)) return running
  const { allow, deny, forwarders, roaming, maxMessageSize } = next
  const dtls = next.dtls && running.dtls && renewedDtls(running.dtls, next.dtls)
  const renewed = { ...running, allow, deny, forwarders, roaming, maxMessageSize, dtls }
  return isLine ? becomeLine(renewed, next) : renewed
}

type DtlsConfig = NonNullable<ListenerConfig['dtls']>

/** Records under way carry ids of the old length, and the key log is a file that is open. */
const renewedDtls = ({ connectionId, keyLog }: DtlsConfig, next: DtlsConfig): DtlsConfig => ({
  ...next,
  connectionId,
  keyLog,
})

function renew(gateway: Running, { config, listeners, log }: Reloadable): string[] {
  const { rules, sessions, admissions } = gateway
  log.level = config.log.level
  rules.replace(config)
  admissions.replace(config)
  renewListeners(listeners, config)
  const ended: string[] = []
  for (const session of [...sessions.byClientId.values()]) {
    session.policy = rules.env.policyFor(session)
    const { policy, peer, clientId } = session
    if (peer === undefined) {
      gateway.dispatch(session, { type: 'rules' })
      continue
    }
    const isOut = whyBarred(policy, peer) !== undefined || admissions.isUnlisted(clientId)
    if (isOut) {
      ended.push(clientId)
      gateway.dispatch(session, { type: 'command', command: 'disconnect' })
    } else gateway.dispatch(session, { type: 'rules' })
  }
  return ended
}

/** Applies who may use the sockets, and how. */
export function renewListeners(listeners: Iterable<BoundListener>, config: Config): void {
  for (const bound of listeners) {
    const listener = config.listeners[bound.index]
    if (listener === undefined) continue
    Object.assign(bound, admissionOf(listener))
    changeLine(bound, listener)
    Object.assign(bound.listener, { roaming: listener.roaming, maxMessage: listener.maxMessageSize })
  }
}

/** Reads keys and certificates again, even where the configuration is the same: files may have changed. */
export function renewSecureLinks(
  listeners: Iterable<BoundListener>,
  config: Config,
  secure: SecureParts,
): void {
  for (const bound of listeners) {
    const { dtls, name } = config.listeners[bound.index] ?? {}
    const { secure: link } = bound.transport
    if (dtls === undefined || link === undefined) continue
    try {
      link.reconfigure(secureServerOf(dtls, config.limits, bound, secure))
    } catch (err) {
      secure.log.error({ err, listener: name }, 'keys and certificates of DTLS stay as they were')
    }
  }
}

const sectionOf = (path: string): string => /^\w+/.exec(path)?.[0] ?? path

/** Most paths or ClientIds that one log line names. */
const MOST_NAMED = 20

const named = (all: readonly string[]): object =>
  all.length <= MOST_NAMED
    ? { paths: all }
    : { paths: all.slice(0, MOST_NAMED), more: all.length - MOST_NAMED }

/** Logs one line per section that has changed, one for what needs a restart, and one if nothing has changed. */
export function logReload({ applied, waiting, ended }: ReloadReport, log: Log): void {
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
