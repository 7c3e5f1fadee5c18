// The gateway as the console sees it. Values are read when they are asked for; what happens is observed from the start.

import { toWall } from '../clock.ts'
import { describeFrame } from '../codec/v1/describe.ts'
import type { Packet } from '../codec/v1/messages.ts'
import { redacted } from '../config/redact.ts'
import type { Config } from '../config/schema.ts'
import { noSensors } from '../console/states.ts'
import type {
  Action,
  GatewayInfo,
  GatewayView,
  Immediate,
  StateChange,
  WatchedPacket,
} from '../console/view.ts'
import type { Gateway } from '../gateway/gateway.ts'
import type { Effect } from '../session/events.ts'
import { describePeer, type Peer } from '../session/peers.ts'
import type { Session } from '../session/session.ts'
import { createRecentRefusals } from './recent-refusals.ts'
import { comparison, detailOf, fitsQuery, nothingKnown, summaryOf } from './sensor-info.ts'
import { createSensorMemory } from './sensor-memory.ts'

/** The view of a gateway in this thread. */
export interface OwnView extends Immediate<GatewayView> {
  close(): void
}

/** Makes the view; `version` is the program's. Call `close` at the end. */
export function createView(gateway: Gateway, config: Config, version: string): OwnView {
  const startedAt = Date.now()
  const { byClientId } = gateway.sessions
  const memories = createSensorMemory(gateway)
  const changeListeners = new Set<(change: StateChange) => void>()
  const refusals = createRecentRefusals()
  const stop = gateway.observe({
    refused: refusals.add,
    effect(effect) {
      if (effect.type !== 'changed') return
      const change = changeOf(effect)
      for (const listener of changeListeners) listener(change)
    },
  })

  return {
    info: () => infoOf(gateway, config, version, startedAt),
    listeners: () => gateway.status().listeners.map(({ name, url, stats }) => ({ name, url, ...stats })),
    broker() {
      const {
        url,
        healthy,
        trouble,
        version,
        connected = 0,
        connecting = 0,
        waiting = 0,
        refused = 0,
        lost = 0,
      } = gateway.status().broker
      return { url, healthy, trouble, version, connected, connecting, waiting, refused, lost }
    },
    store: () => gateway.status().store,
    sensors(query) {
      const all = [...byClientId.values()]
        .map(summaryOf)
        .concat(memories.departed().filter(({ clientId }) => !byClientId.has(clientId)))
      const found = all.filter((sensor) => fitsQuery(sensor, query)).sort(comparison(query))
      return { total: found.length, items: found.slice(query.offset, query.offset + query.limit) }
    },
    sensor(clientId) {
      const session = byClientId.get(clientId)
      if (session !== undefined) return detailOf(session, memories.of(clientId, session), config)
      const gone = memories.departed().find((sensor) => sensor.clientId === clientId)
      return gone && { ...nothingKnown, ...gone, ...memories.of(clientId) }
    },
    refusals: refusals.list,
    predefined: () =>
      [...gateway.rules.env.settings.predefined.byId].map(([topicId, name]) => ({ topicId, name })),
    config: () => redacted(config),
    act: (clientId, action) => act(gateway, clientId, action),
    onChange(listener) {
      changeListeners.add(listener)
      return () => void changeListeners.delete(listener)
    },
    watch: (clientId, listener) => watch(gateway, clientId, listener),
    latency: () => gateway.latency,
    close() {
      stop()
      memories.close()
    },
  }
}

const MINUTE = 60_000

function infoOf(gateway: Gateway, config: Config, version: string, startedAt: number): GatewayInfo {
  const sensors = noSensors()
  for (const { state } of gateway.sessions.byClientId.values()) sensors[state] += 1
  const { totals, spooled, deadLetters } = gateway.rules.env
  const { counters } = gateway.status()
  return {
    version,
    gwId: config.gateway.id,
    node: process.version,
    startedAt,
    sensors,
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

/** The topic name that a message's topic id stands for, as far as the session knows. */
function topicOf(packet: Packet, session: Session | undefined): string | undefined {
  if ('topicName' in packet) return packet.topicName
  if (!('topicId' in packet) || session === undefined) return undefined
  const { byId } =
    'topicIdType' in packet && packet.topicIdType === 'predefined'
      ? session.policy.predefined
      : session.topics
  return byId.get(packet.topicId)
}

function watch(
  gateway: Gateway,
  clientId: string | undefined,
  listener: (packet: WatchedPacket) => void,
): () => void {
  const report = (
    direction: WatchedPacket['direction'],
    packet: Packet,
    peer: Peer,
    session: Session | undefined,
    bytes: Uint8Array,
    repeated: boolean,
  ) => {
    const named = packet.type === 'connect' ? packet.clientId : session?.clientId
    if (clientId !== undefined && named !== clientId) return
    listener({
      at: toWall(performance.now()),
      direction,
      clientId: named,
      address: peer.address,
      port: peer.port,
      listener: peer.listener.name,
      bytes,
      type: packet.type.toUpperCase(),
      topic: topicOf(packet, session),
      lines: describeFrame(bytes),
      repeated: repeated || ('dup' in packet && packet.dup),
    })
  }
  return gateway.observe({
    received: (packet, peer, session, bytes) => report('received', packet, peer, session, bytes, false),
    sent: (packet, peer, session, bytes, repeated) => report('sent', packet, peer, session, bytes, repeated),
  })
}
