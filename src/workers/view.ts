// The gateway of several workers as the console sees it: each is asked, and what they say is put together.

import { redacted } from '../config/redact.ts'
import { matchesEverything } from '../config/sections/glob.ts'
import { docsOf } from '../console/contract/docs.ts'
import type { BrokerInfo, GatewayInfo, HistogramInfo, StoreInfo } from '../console/contract/gateway.ts'
import type { HappeningBatch } from '../console/contract/happenings.ts'
import type { BrokerStep, StateChange, WatchedPacket } from '../console/contract/live.ts'
import type { GatewayView } from '../console/view.ts'
import { tableOf } from '../gateway/rules/sensor-rules.ts'
import { mergeDeadLetters } from '../monitor/dead-letters.ts'
import { mergeDrops } from '../monitor/drop-sources.ts'
import { noteRefusal } from '../monitor/gateway-happenings.ts'
import { createHappenings, mergeHappenings } from '../monitor/happenings.ts'
import { mergeLiveTopics } from '../monitor/live-topics.ts'
import { mergeRefusals } from '../monitor/recent-refusals.ts'
import { endSecureSession, withOpenSession } from '../monitor/sensors/secure-session.ts'
import { orderOf } from '../monitor/sensors/sensor-query.ts'
import type { ViewParts } from '../monitor/view.ts'
import { watchWire } from '../monitor/watch-wire.ts'
import type { Fleet } from './fleet.ts'
import { addCounters, sumOfBrokers, sumOfInfos, sumOfLatencies, sumOfStores } from './sums.ts'
import type { Thread } from './thread.ts'

type Watcher = (packet: WatchedPacket) => void

/** Opens the views of all workers and makes one of them. Call `close` at the end. */
export async function openFleetView(
  fleet: Fleet,
  { happenings: own = createHappenings(), labels, keepLabel }: ViewParts = {},
): Promise<GatewayView & { close(): void }> {
  const { config } = fleet
  const changeListeners = new Set<(change: StateChange) => void>()
  const edited = new Map(labels ?? [])
  /** each knows the labels of all: they are few */
  const openViewOf = (thread: Thread) => thread.call('openView', [...edited])
  const happeningListeners = new Set<(batch: HappeningBatch) => void>()
  const watchers = new Map<number, { clientId: string | undefined; listener: Watcher }>()
  const stepWatchers = new Map<number, { clientId: string; listener: (step: BrokerStep) => void }>()
  let watched = 0
  const threadOf = (clientId: string) => fleet.threadOf(fleet.ownerOf(clientId))
  /** What all workers say; of one that cannot answer, what it said last, if that is kept. */
  async function all<T>(ask: (thread: Thread) => Promise<T>, kept = new Map<number, T>()): Promise<T[]> {
    const answers = await Promise.allSettled(fleet.threads.map(ask))
    for (const [index, answer] of answers.entries()) {
      if (answer.status === 'fulfilled') kept.set(index, answer.value)
    }
    return fleet.threads.flatMap((_, index) => kept.get(index) ?? [])
  }
  const infos = new Map<number, GatewayInfo>()
  /** counted by workers that have ended */
  let past: GatewayInfo['counters'] | undefined
  const [brokers, stores, latencies] = [
    new Map<number, BrokerInfo>(),
    new Map<number, StoreInfo>(),
    new Map<number, HistogramInfo>(),
  ]
  /** those that have the sensor, or all */
  const concerned = (clientId: string | undefined) =>
    clientId === undefined ? fleet.threads : fleet.threads.filter((one) => one === threadOf(clientId))

  fleet.observer = {
    change({ change }) {
      for (const listener of changeListeners) listener(change)
    },
    happenings({ batch }) {
      for (const listener of happeningListeners) listener(batch)
    },
    step: ({ watcher, step }) => stepWatchers.get(watcher)?.listener(step),
    packet: ({ watcher, packet }) => watchers.get(watcher)?.listener(packet),
    async restarted(index, thread) {
      const before = infos.get(index)?.counters
      if (before !== undefined) past = addCounters(past, before)
      infos.delete(index)
      await openViewOf(thread)
      if (happeningListeners.size > 0) await thread.call('tellHappenings', true)
      const text = 'A worker ended and was started again: its sensors went on from the store.'
      own.note({ kind: 'gateway', tone: 'bad', text, docs: docsOf('internal-error') })
      for (const [watcher, { clientId }] of stepWatchers) {
        if (concerned(clientId).includes(thread)) await thread.call('watchBroker', watcher, clientId)
      }
      for (const [watcher, { clientId }] of watchers) {
        if (concerned(clientId).includes(thread)) await thread.call('watch', watcher, clientId)
      }
    },
  }
  await Promise.all(fleet.threads.map(openViewOf))
  fleet.front.books.onRefused = (refusal) => noteRefusal(own, refusal)
  const tellHappenings = (wanted: boolean) => {
    for (const thread of fleet.threads) thread.call('tellHappenings', wanted).catch(() => {})
  }

  return {
    async info() {
      return sumOfInfos(await all((thread) => thread.call('info'), infos), fleet.counters, past)
    },
    listeners: () => fleet.listeners().map(({ name, url, stats }) => ({ name, url, ...stats })),
    async broker() {
      const sum = sumOfBrokers(await all((thread) => thread.call('broker'), brokers))
      return { ...sum, healthy: sum.healthy && fleet.isWhole }
    },
    async store() {
      return sumOfStores(await all((thread) => thread.call('store'), stores))
    },
    async sensors(query) {
      const { offset, limit } = query
      const lists = await all((thread) =>
        thread.call('sensors', { ...query, offset: 0, limit: offset + limit }),
      )
      const items = lists.flatMap(({ items }) => items).sort(orderOf(query))
      const total = lists.reduce((sum, list) => sum + list.total, 0)
      return { total, items: items.slice(offset, offset + limit) }
    },
    async sensor(clientId) {
      const sensor = await threadOf(clientId)?.call('sensor', clientId)
      return sensor && withOpenSession(sensor, fleet.front.security.links)
    },
    async refusals() {
      return mergeRefusals([fleet.front.books.refused(), ...(await all((thread) => thread.call('refusals')))])
    },
    async happenings(query) {
      const { offset, limit } = query
      const wanted = { ...query, offset: 0, limit: offset + limit }
      const lists = await all((thread) => thread.call('happenings', wanted))
      return mergeHappenings([own.list(wanted), ...lists], query)
    },
    onHappenings(listener) {
      if (happeningListeners.size === 0) tellHappenings(true)
      happeningListeners.add(listener)
      const stop = own.onBatch(listener)
      return () => {
        stop()
        happeningListeners.delete(listener)
        if (happeningListeners.size === 0) tellHappenings(false)
      }
    },
    async topics(query) {
      const wanted = { ...query, offset: 0, limit: query.offset + query.limit }
      return mergeLiveTopics(await all((thread) => thread.call('topics', wanted)), query)
    },
    async deadLetters(query) {
      const wanted = { ...query, offset: 0, limit: query.offset + query.limit }
      return mergeDeadLetters(await all((thread) => thread.call('deadLetters', wanted)), query)
    },
    async label(clientId, label) {
      const thread = threadOf(clientId)
      if (thread === undefined || (await thread.call('sensor', clientId)) === undefined) return false
      keepLabel?.(clientId, label)
      if (label === undefined) edited.delete(clientId)
      else edited.set(clientId, label)
      return thread.call('label', clientId, label)
    },
    async drops(reason) {
      return mergeDrops([
        fleet.front.books.drops(reason),
        ...(await all((thread) => thread.call('drops', reason))),
      ])
    },
    predefined: () => {
      const global = config.predefined.filter(({ match }) => matchesEverything(match))
      return [...tableOf(global).byId].map(([topicId, name]) => ({ topicId, name }))
    },
    config: () => redacted(config),
    async act(clientId, action) {
      const thread = threadOf(clientId)
      // DTLS ends in this thread
      if (action.type === 'endSecureSession')
        return endSecureSession(await thread?.call('sensor', clientId), fleet.front.security.links)
      return (await thread?.call('act', clientId, action)) ?? false
    },
    onChange(listener) {
      changeListeners.add(listener)
      return () => void changeListeners.delete(listener)
    },
    watch(clientId, listener) {
      const watcher = ++watched
      watchers.set(watcher, { clientId, listener })
      // a worker that is gone has nothing to report
      for (const thread of concerned(clientId)) thread.call('watch', watcher, clientId).catch(() => {})
      return () => {
        watchers.delete(watcher)
        for (const thread of concerned(clientId)) thread.call('unwatch', watcher).catch(() => {})
      }
    },
    watchWire: (listener) => watchWire(fleet.front.security.links, listener),
    watchBroker(clientId, listener) {
      const watcher = ++watched
      stepWatchers.set(watcher, { clientId, listener })
      for (const thread of concerned(clientId)) thread.call('watchBroker', watcher, clientId).catch(() => {})
      return () => {
        stepWatchers.delete(watcher)
        for (const thread of concerned(clientId)) thread.call('unwatch', watcher).catch(() => {})
      }
    },
    async latency() {
      return sumOfLatencies(await all((thread) => thread.call('latency'), latencies))
    },
    close() {
      fleet.observer = undefined
    },
  }
}
