// The gateway as the console sees it. Values are read when they are asked for; what happens is observed from the start.

import { redacted } from '../config/redact.ts'
import type { Config } from '../config/schema.ts'
import type { BrokerInfo, GatewayInfo } from '../console/contract/gateway.ts'
import type { StateChange } from '../console/contract/live.ts'
import type { SensorLabel } from '../console/contract/sensors.ts'
import type { Action, GatewayView, Immediate } from '../console/view.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Effect } from '../session/events.ts'
import { describePeer } from '../session/peers.ts'
import { watchBrokerSteps } from './broker-steps.ts'
import { listDeadLetters } from './dead-letters.ts'
import { createDropSources } from './drop-sources.ts'
import { noteGatewayHappenings } from './gateway-happenings.ts'
import { createHappenings, type Happenings } from './happenings.ts'
import { createLiveTopics } from './live-topics.ts'
import { createRecentRefusals } from './recent-refusals.ts'
import { createLabelBook } from './sensors/labels.ts'
import { createRoster, type Roster } from './sensors/roster.ts'
import { endSecureSession, securityOf, withOpenSession } from './sensors/secure-session.ts'
import { detailOf, detailOfDeparted } from './sensors/sensor-info.ts'
import { createSensorMemory } from './sensors/sensor-memory.ts'
import { watchPackets } from './watch-packets.ts'
import { watchWire } from './watch-wire.ts'

/** The view of a gateway in this thread. */
export interface OwnView extends Immediate<GatewayView> {
  close(): void
}

/** What a view shares with others. */
export interface ViewParts {
  /** the list that it adds to */
  readonly happenings?: Happenings
  /** what people have called sensors */
  readonly labels?: Iterable<readonly [string, SensorLabel]>
  /** Keeps what people call a sensor; throws an Error if that cannot be kept. */
  keepLabel?(clientId: string, label: SensorLabel | undefined): void
}

/** Makes the view; `version` is the program's. Call `close` at the end. */
export function createView(
  gateway: Gateway,
  config: Config,
  version: string,
  parts: ViewParts = {},
): OwnView {
  const { happenings = createHappenings() } = parts
  const startedAt = Date.now()
  const { byClientId } = gateway.sessions
  const memories = createSensorMemory(gateway)
  const labels = createLabelBook(
    parts.labels ?? [],
    (clientId) => gateway.rules.labelOf(clientId),
    () => gateway.rules.env.settings,
  )
  const roster = createRoster({ gateway, memories, labelOf: labels.of, sensors: () => config.limits.sensors })
  const changeListeners = new Set<(change: StateChange) => void>()
  const refusals = createRecentRefusals()
  const drops = createDropSources()
  const topics = createLiveTopics(gateway, () => config.log.payloads || config.console.payloads)
  const stopNoting = noteGatewayHappenings(gateway, happenings)
  const stop = gateway.observe({
    refused: refusals.add,
    discarded: drops.add,
    effect(effect) {
      if (effect.type !== 'changed' || changeListeners.size === 0) return
      const change = changeOf(effect)
      for (const listener of changeListeners) listener(change)
    },
  })

  return {
    info: () => infoOf(gateway, config, roster.count(), { version, startedAt }),
    listeners: () => gateway.status().listeners.map(({ name, url, stats }) => ({ name, url, ...stats })),
    broker: () => brokerOf(gateway),
    store: () => gateway.status().store,
    sensors: (query) => roster.list(query),
    sensor(clientId) {
      const session = byClientId.get(clientId)
      const known = () => ({
        remembered: memories.of(clientId, session),
        label: labels.of(clientId),
        refusals: refusals.list().filter((one) => one.clientId === clientId),
      })
      if (session !== undefined)
        return withOpenSession(detailOf(session, known(), config), gateway.links.secure.links)
      const gone = roster.departed(clientId)
      return gone && detailOfDeparted(gone, known())
    },
    refusals: refusals.list,
    happenings: happenings.list,
    onHappenings: happenings.onBatch,
    drops: drops.list,
    topics: topics.list,
    deadLetters: (query) => listDeadLetters(byClientId.values(), query),
    label(clientId, label) {
      if (!byClientId.has(clientId) && roster.departed(clientId) === undefined) return false
      parts.keepLabel?.(clientId, label)
      labels.set(clientId, label)
      return true
    },
    predefined: () =>
      [...gateway.rules.env.settings.predefined.byId].map(([topicId, name]) => ({ topicId, name })),
    config: () => redacted(config),
    act: (clientId, action) => act(gateway, clientId, action),
    onChange(listener) {
      changeListeners.add(listener)
      return () => void changeListeners.delete(listener)
    },
    watch: (clientId, listener) => watchPackets(gateway, clientId, listener),
    watchWire: (listener) => watchWire(gateway.links.secure.links, listener),
    watchBroker: (clientId, listener) => watchBrokerSteps(gateway, clientId, listener),
    latency: () => gateway.latency,
    close() {
      stop()
      stopNoting()
      roster.close()
      topics.close()
      memories.close()
    },
  }
}

function brokerOf(gateway: Gateway): BrokerInfo {
  const { broker } = gateway.status()
  const { url, healthy, trouble, version, openings } = broker
  const { connected = 0, connecting = 0, waiting = 0, refused = 0, lost = 0 } = broker
  const { portless = 0, shared = [] } = broker
  return {
    url,
    healthy,
    trouble,
    version,
    openings,
    connected,
    connecting,
    waiting,
    refused,
    lost,
    portless,
    shared,
  }
}

const MINUTE = 60_000

function infoOf(
  gateway: Gateway,
  config: Config,
  counted: ReturnType<Roster['count']>,
  program: Pick<GatewayInfo, 'version' | 'startedAt'>,
): GatewayInfo {
  const { totals, spooled, deadLetters } = gateway.rules.env
  const { counters } = gateway.status()
  return {
    ...program,
    gwId: config.gateway.id,
    node: process.version,
    ...counted,
    ...totals,
    queuesFull: performance.now() - gateway.sessions.totalReachedAt < MINUTE,
    spooledMessages: spooled.messages,
    spooledOctets: spooled.octets,
    deadLetters: deadLetters.messages,
    deadLetterOctets: deadLetters.octets,
    counters: {
      ...counters,
      received: upperCased(counters.received),
      sent: upperCased(counters.sent),
      dropped: counters.dropped as Record<string, number>,
      refusals: counters.refusals as Record<string, number>,
      losses: counters.losses as Record<string, number>,
    },
  }
}

const upperCased = (table: Partial<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(table).map(([name, value = 0]) => [name.toUpperCase(), value]))

function changeOf({ session, peer, from, to, why }: Extract<Effect, { type: 'changed' }>): StateChange {
  const address = peer && describePeer(peer)
  return { at: Date.now(), clientId: session.clientId, from, to, why, address }
}

function act(gateway: Gateway, clientId: string, action: Action): boolean {
  const session = gateway.sessions.byClientId.get(clientId)
  if (session === undefined) return false
  const { state } = session
  const gone = state === 'disconnected' || state === 'lost'
  if (action.type === 'disconnect' && gone) return false
  if (action.type === 'endSecureSession') {
    const { peer } = session
    return endSecureSession(
      { secure: securityOf(peer), listener: peer?.listener.name },
      gateway.links.secure.links,
    )
  }
  if (action.type !== 'publish') gateway.dispatch(session, { type: 'command', command: action.type })
  else {
    const { topic, payload, qos, retain } = action
    gateway.dispatch(session, {
      type: 'message',
      message: { topic, payload, qos, retain },
      ack: undefined,
      packetId: 0,
    })
  }
  return true
}
