// What the gateway tells without being asked: one event stream for the whole page, opened again whenever it breaks.

import type { ClusterInfo } from '../../contract/cluster.ts'
import type { BrokerInfo, GatewayInfo, ListenerInfo } from '../../contract/gateway.ts'
import type { Happening, HappeningBatch } from '../../contract/happenings.ts'
import type { BrokerStep, LiveEvents, StateChange } from '../../contract/live.ts'
import { type ApiError, api } from './api.ts'
import { History, type SavedHistory } from './history.ts'

/** State changes that are kept for "what happened lately". */
const MOST_CHANGES = 300
/** Events that are kept for the same. */
const MOST_HAPPENED = 100
const PAUSES = [500, 1000, 2000, 4000, 8000]
/** The gateway speaks every second; after so much silence the connection counts as dead. */
const SILENCE = 8000
/** How often what the stream does not carry is asked for. */
const POLL = 2000
const KEY = 'mqttsn.history'

/** A datagram as the stream carries it: octets in hexadecimal. */
export type PacketEvent = LiveEvents['packet']

interface Tidings {
  /** a second has passed, or something else was learned */
  update: undefined
  /** a sensor changed its state */
  change: StateChange
  /** a datagram of the watched sensor */
  packet: PacketEvent
  /** what passed between the gateway and the broker for the watched sensor */
  broker: BrokerStep
  /** events that people want to know of */
  happened: HappeningBatch
  /** more sensors changed their state than could be told singly */
  more: undefined
  /** the datagrams of the watched sensor come from now on */
  streaming: undefined
}
type Kind = keyof Tidings
type Listener<K extends Kind> = (detail: Tidings[K]) => void

/** Whether the gateway is heard. */
export type LinkStatus = 'connecting' | 'live' | 'away'

class Live {
  info: GatewayInfo | undefined
  broker: BrokerInfo | undefined
  listeners: readonly ListenerInfo[] | undefined
  /** the nodes that share a database; undefined: there are no others, or it was not asked yet */
  cluster: ClusterInfo | undefined
  /** `connecting` at first, `live`, or `away` with the reason in `problem` */
  status: LinkStatus = 'connecting'
  problem: ApiError | undefined
  /** when the last word came, milliseconds */
  heardAt: number | undefined
  /** when the next attempt is made, while it is away */
  retryAt: number | undefined
  /** the last state changes, newest first */
  changes: StateChange[] = []
  /** the last events, newest first, those from before this page was opened included */
  happened: readonly Happening[] = []
  readonly history = new History()
  readonly #listeners: { readonly [K in Kind]: Set<Listener<K>> } = {
    update: new Set(),
    change: new Set(),
    packet: new Set(),
    broker: new Set(),
    happened: new Set(),
    more: new Set(),
    streaming: new Set(),
  }
  #source: EventSource | undefined
  #watched: string | undefined
  #attempts = 0
  #retry: number | undefined
  #watchdog: number | undefined

  start(): void {
    this.#load()
    addEventListener('pagehide', () => this.#save())
    this.#open()
    void this.#poll()
    setInterval(() => void this.#poll(), POLL)
  }

  /** Calls back until the returned function is called. */
  on<K extends Kind>(kind: K, listener: Listener<K>): () => void {
    this.#listeners[kind].add(listener)
    return () => void this.#listeners[kind].delete(listener)
  }

  #tell<K extends Kind>(kind: K, detail: Tidings[K]): void {
    for (const listener of this.#listeners[kind]) listener(detail)
  }

  /** Watches the datagrams of one sensor, or of none. */
  watch(clientId: string | undefined): void {
    if (this.#watched === clientId) return
    this.#watched = clientId
    this.#open()
  }

  /** Tries again now. */
  readonly retry = (): void => {
    this.#attempts = 0
    this.#open()
  }

  #open(): void {
    clearTimeout(this.#retry)
    this.#source?.close()
    const query = this.#watched === undefined ? '' : `?sensor=${encodeURIComponent(this.#watched)}`
    const source = new EventSource(`api/events${query}`)
    this.#source = source
    const on = <K extends keyof LiveEvents>(type: K, listener: (data: LiveEvents[K]) => void) =>
      source.addEventListener(type, (event: MessageEvent<string>) => {
        if (source !== this.#source) return
        this.#hear()
        listener(JSON.parse(event.data) as LiveEvents[K])
      })
    source.addEventListener('open', () => {
      if (source !== this.#source) return
      this.#hear()
      if (this.#watched !== undefined) this.#tell('streaming', undefined)
    })
    source.addEventListener('error', () => source === this.#source && this.#fail())
    on('gateway', (info) => {
      // of several nodes only this one tells of itself without being asked
      if (info.clusterNode === undefined || this.info === undefined) this.info = info
      this.history.add(info, this.broker, this.listeners, Date.now())
      this.#tell('update', undefined)
    })
    on('state', (change) => {
      this.history.countChange()
      this.changes.unshift(change)
      if (this.changes.length > MOST_CHANGES) this.changes.pop()
      this.#tell('change', change)
    })
    on('packet', (packet) => this.#tell('packet', packet))
    on('broker', (step) => this.#tell('broker', step))
    on('more', () => this.#tell('more', undefined))
    on('happenings', (batch) => {
      this.#learn(batch.items)
      this.#tell('happened', batch)
    })
    this.#guard()
  }

  #guard(): void {
    clearTimeout(this.#watchdog)
    this.#watchdog = setTimeout(() => this.#fail(), SILENCE)
  }

  #hear(): void {
    this.heardAt = Date.now()
    this.#attempts = 0
    this.#guard()
    if (this.status === 'live') return
    this.#become('live')
    void this.#poll()
    void this.#fill()
    void this.#recall()
  }

  #fail(): void {
    this.#source?.close()
    clearTimeout(this.#watchdog)
    const pause = (PAUSES[this.#attempts] ?? 8000) * (0.75 + Math.random() / 2)
    this.#attempts += 1
    this.retryAt = Date.now() + pause
    this.#retry = setTimeout(() => this.#open(), pause)
    // An event stream does not tell why it failed; a plain request does.
    api.gateway().then(
      () => this.#become('away'),
      (error: ApiError) => this.#become('away', error),
    )
  }

  #become(status: LinkStatus, problem?: ApiError): void {
    this.status = status
    this.problem = problem
    this.#tell('update', undefined)
  }

  /** What the stream does not carry. */
  async #poll(): Promise<void> {
    if (this.status === 'away') return // the attempts of #fail do that
    try {
      const [info, broker, listeners] = await Promise.all([api.gateway(), api.broker(), api.listeners()])
      if (info.clusterNode !== undefined || this.info === undefined) this.info = info
      this.broker = broker
      this.listeners = listeners
      this.cluster = info.clusterNode === undefined ? undefined : await api.cluster()
      this.#tell('update', undefined)
    } catch (error) {
      if (this.status === 'connecting') this.#become('away', error as ApiError)
    }
  }

  /** The plots begin with what the gateway remembers, at first and after every gap. */
  async #fill(): Promise<void> {
    try {
      this.history.fill(await api.history(), Date.now())
      this.#tell('update', undefined)
    } catch {
      // then they begin with what comes from now on
    }
  }

  /** What happened before is known to the gateway. */
  async #recall(): Promise<void> {
    try {
      this.#learn((await api.happenings({ limit: MOST_HAPPENED })).items)
      this.#tell('update', undefined)
    } catch {
      // what happens from now on is told
    }
  }

  /** New events, and known ones that happened again. */
  #learn(items: readonly Happening[]): void {
    const known = new Map([...this.happened, ...items].map((one) => [one.id, one]))
    this.happened = [...known.values()].sort((a, b) => b.at - a.at).slice(0, MOST_HAPPENED)
  }

  /** What was seen survives a reload of the page. */
  #save(): void {
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ ...this.history.saved(), changes: this.changes }))
    } catch {
      // no storage: the plots start empty next time
    }
  }

  #load(): void {
    try {
      const text = sessionStorage.getItem(KEY) ?? '{}'
      const saved = JSON.parse(text) as Partial<SavedHistory> & { changes?: StateChange[] }
      this.history.restore(saved, Date.now())
      this.changes = saved.changes ?? []
    } catch {
      // unreadable: start empty
    }
  }
}

/** The one of this page. */
export const live = new Live()
