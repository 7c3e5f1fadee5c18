// The shell: the only place where datagrams, broker, store, time and sessions meet, and where effects happen.

import type { Config } from './config/schema.ts'
import { type Broker, openBroker } from './gateway/broker.ts'
import { createCounters } from './gateway/counters.ts'
import { createGate } from './gateway/gate.ts'
import { logChange, logListening, logPacket } from './gateway/journal.ts'
import { createHistogram } from './gateway/latency.ts'
import { type Link, linkStatus, openLink } from './gateway/links.ts'
import { reportLosses } from './gateway/losses.ts'
import { type GatewayStatus, type Observer, Observers } from './gateway/observer.ts'
import { createPerformer, type Performer } from './gateway/performer.ts'
import { bearings, closed, isDurable, openStore, settled, storeStatus } from './gateway/persistence.ts'
import { receiveDatagram } from './gateway/reception.ts'
import { type ReloadReport, reload } from './gateway/reload.ts'
import { publishStatus } from './gateway/status.ts'
import { createSurroundings, type Surroundings } from './gateway/surroundings.ts'
import { createTransmitter, type Transmitter } from './gateway/transmitter.ts'
import { type Log, silentLog } from './log.ts'
import { dueSessions } from './session/due.ts'
import type { Effect, Event, Listener } from './session/events.ts'
import { peerKey } from './session/peers.ts'
import { restore } from './session/restore.ts'
import type { Session } from './session/session.ts'
import { createSessions, dispatch, evict, receive, type Sessions } from './session/sessions.ts'
import type { Turn } from './session/settings.ts'
import type { Store } from './store/store.ts'
import type { Remote } from './transport/transport.ts'

export { loadConfig } from './config/load.ts'
export { openConsole } from './gateway/observation.ts'
export type { GatewayStatus, Observer } from './gateway/observer.ts'
export { createMemoryStore } from './store/memory.ts'

/** How often deadlines are looked at, milliseconds: far below the shortest interval of the protocol. */
const TICK = 50

/** What surrounds a gateway; everything has a default. */
export interface GatewayParts {
  log?: Log
  store?: Store // instead of the one that the configuration names
}

/**
 * An MQTT-SN gateway: sensors on UDP, one MQTT connection each to the broker [4.1].
 * `start()` binds the listeners, `stop()` ends all connections; both may be called once.
 */
export class Gateway {
  readonly sessions: Sessions = createSessions()
  readonly #config: Config
  readonly #log: Log
  #store: Store | undefined
  /** from a QoS 1 or 2 publish to the broker's final answer, seconds */
  readonly latency = createHistogram()
  readonly #counters = createCounters()
  /** what the session core works with; its totals are live */
  readonly surroundings: Surroundings
  readonly #observers = new Observers((error) => this.#onFault(error, undefined))
  readonly #links = new Map<Listener, Link>()
  readonly #gate = createGate(this.#counters, (link, bytes, remote) => this.#onDatagram(link, bytes, remote))
  readonly #transmitter: Transmitter
  #broker: Broker | undefined
  #performer: Performer | undefined
  #ticker: NodeJS.Timeout | undefined
  #reports: (() => void)[] = []

  constructor(config: Config, { log = silentLog, store }: GatewayParts = {}) {
    this.#config = config
    this.#log = log
    this.#store = store
    this.surroundings = createSurroundings(config, Math.random)
    const { isHealthy } = this
    const [links, counters, observers] = [this.#links, this.#counters, this.#observers]
    this.#transmitter = createTransmitter({ config, links, counters, observers, log, isHealthy })
  }

  /**
   * Binds all listeners, takes up the sessions in the store and begins to serve; rejects, with nothing left open, if a
   * listener cannot be bound or the store cannot be used (StoreError).
   */
  async start(): Promise<void> {
    try {
      // listeners first: where they are taken, another gateway runs, whose store and connections must be left alone
      for (const [index, listener] of this.#config.listeners.entries()) {
        const link = await openLink(listener, index, performance.now(), this.#gate.receive)
        this.#links.set(link.listener, link)
        logListening(this.#log, link)
      }
      this.#store ??= await openStore(this.#config, this.#log)
      const sessions = await this.#store.load()
      this.#broker = await openBroker(this.#config, this.#log)
      this.#performer = this.#createPerformer(this.#store, this.#broker)
      const found = bearings(this.#links.values())
      for (const one of sessions) this.#attempt(undefined, (turn) => restore(this.sessions, one, found, turn))
    } catch (error) {
      await this.#close()
      throw error
    }
    this.#gate.open()
    this.#ticker = setInterval(() => this.#tick(), TICK)
    this.#reports = [publishStatus(this, this.#config), reportLosses(this.#log, this.#counters)]
  }

  /**
   * Ends connections to the broker without wills and frees the ports, within some seconds. Sensors are told [SN-ROB-5],
   * unless their sessions are in a durable store: then the next start goes on with them [SN-SESS-10].
   */
  async stop(): Promise<void> {
    clearInterval(this.#ticker)
    this.#gate.close()
    for (const end of this.#reports) end()
    for (const session of [...this.sessions.byClientId.values()]) {
      if (!isDurable(this.#config)) this.dispatch(session, { type: 'shutdown' })
      else this.#attempt(session, ({ out }) => out.push({ type: 'saveProgress', session, lazy: true }))
    }
    if (this.#store !== undefined) await settled(this.#store, this.#log) // what waits for a write goes out first
    await this.#close()
  }

  async #close(): Promise<void> {
    this.#gate.close()
    await this.#broker?.close()
    this.#broker = undefined
    await Promise.all([...this.#links.values()].map(({ transport }) => transport.close()))
    this.#links.clear()
    if (this.#store !== undefined) await closed(this.#store, this.#log)
    this.#store = undefined
  }

  #createPerformer(store: Store, { upstream }: Broker): Performer {
    return createPerformer({
      upstream,
      store,
      surroundings: this.surroundings,
      counters: this.#counters,
      latency: this.latency,
      towardsSensor: (effect) => this.#performTowardsSensor(effect),
      onEvent: (session, event) => this.dispatch(session, event),
      attempt: (session, step) => this.#attempt(session, step),
      onOverfull: (session) => this.#abandon(session),
    })
  }

  /**
   * Takes over another configuration as far as no session has to end for that, and logs what is applied and what needs a
   * restart. Throws an Error, with nothing changed, if the broker's certificates cannot be used.
   */
  reload(next: Config): ReloadReport {
    const [config, links, broker, log] = [this.#config, this.#links.values(), this.#broker, this.#log]
    return reload(this, { config, links, broker, log }, next)
  }

  /** Publishes at QoS 0 on the gateway's own connection; false if that is down or congested. */
  publish(topic: string, payload: Uint8Array, retain: boolean): boolean {
    return this.#broker?.upstream.publishAnonymous(topic, payload, retain) ?? false
  }

  /** Registers an observer; returns how to end that. */
  observe(observer: Observer): () => void {
    return this.#observers.add(observer)
  }

  /** Read when asked for, listeners only when looked at: their numbers are the system's, and cost the most. */
  status(): GatewayStatus {
    const links = [...this.#links.values()]
    const { url = '', upstream } = this.#broker ?? {}
    const counters = this.#counters
    const store = () => storeStatus(this.#config, this.#store, counters, this.#performer)
    return {
      get listeners() {
        return links.map(linkStatus)
      },
      broker: { url, healthy: this.isHealthy(), ...upstream?.stats() },
      get store() {
        return store()
      },
      counters,
      sensors: this.sessions.byClientId.size,
    }
  }

  /** Whether the broker can be reached; far cheaper than `status`, which asks the system about every listener. */
  readonly isHealthy = (): boolean => this.#broker?.upstream.healthy ?? false

  #turn(): Turn {
    return { now: performance.now(), env: this.surroundings.env, out: [] }
  }

  #onDatagram(link: Link, bytes: Uint8Array, { address, port }: Remote): void {
    const received = receiveDatagram(link, bytes, address, this.#counters)
    if (received === undefined) return
    const { packet, nodeId } = received
    const key = peerKey(link.index, address, port, nodeId)
    const session = this.sessions.byPeer.get(key)
    const peer = session?.peer ?? { key, listener: link.listener, address, port, nodeId }
    logPacket(this.#log, 'received', packet, peer, this.#config.log.payloads)
    this.#observers.received(packet, peer, session, bytes)
    if (this.#attempt(session, (turn) => receive(this.sessions, packet, peer, turn))) return
    const broken = session ?? this.sessions.byPeer.get(key)
    if (broken !== undefined) this.#abandon(broken)
  }

  /** Hands an event to a session and does what follows from it. */
  dispatch(session: Session, event: Event): void {
    const done = this.#attempt(session, (turn) => dispatch(this.sessions, session, event, turn))
    if (!done) this.#abandon(session)
  }

  /** Runs one step of the core and performs what it asks for; false if that failed. */
  #attempt(session: Session | undefined, step: (turn: Turn) => void): boolean {
    const turn = this.#turn()
    try {
      step(turn)
      this.#performer?.perform(turn.out)
      return true
    } catch (error) {
      this.#onFault(error, session)
      return false
    }
  }

  #onFault(err: unknown, session: Session | undefined): void {
    this.#counters.faults += 1
    this.#log.error({ err, clientId: session?.clientId }, 'internal error')
  }

  /** A bug costs one session, never the gateway: it is ended, and deleted if it cannot even be ended. */
  #abandon(session: Session): void {
    const ended = this.#attempt(session, (turn) => {
      // what the failed step asked for may be lost, and nobody else would ever close it
      turn.out.push({ type: 'close', session, publishWill: false })
      dispatch(this.sessions, session, { type: 'shutdown' }, turn)
    })
    if (!ended) this.#attempt(session, (turn) => evict(this.sessions, session, turn))
  }

  #performTowardsSensor(effect: Effect): void {
    this.#observers.effect(effect)
    if (effect.type === 'send') this.#transmitter.send(effect)
    else if (effect.type === 'changed') logChange(this.#log, effect)
    else if (effect.type === 'gwinfo') this.#transmitter.answerSearch(effect.peer, effect.radius)
  }

  #tick(): void {
    const now = performance.now()
    for (const session of dueSessions(this.sessions, now)) this.dispatch(session, { type: 'deadline' })
    this.#transmitter.advertise(now)
  }
}
