// The shell: the only place where datagrams, broker, store, time and sessions meet, and where effects happen.

import type { Config } from '../config/schema.ts'
import { type Log, silentLog } from '../log.ts'
import type { Event } from '../session/events.ts'
import type { Listener, PeerKey } from '../session/peers.ts'
import { peerKey } from '../session/peers.ts'
import type { Session } from '../session/session.ts'
import { receive } from '../sessions/door.ts'
import { turnAway } from '../sessions/overload.ts'
import { restore } from '../sessions/restore.ts'
import { createSessions, dueSessions, type Sessions } from '../sessions/table.ts'
import { displaceSession as displace } from '../sessions/takeover.ts'
import type { Store } from '../store/store.ts'
import type { Remote } from '../transport/transport.ts'
import { createCounters } from './counters.ts'
import { createIntake } from './datagrams/intake.ts'
import { type Link, openLink } from './datagrams/listener.ts'
import { receiveDatagram } from './datagrams/reception.ts'
import { MANY_HELD } from './effects/commit-gate.ts'
import { createPerformer, type Performer } from './effects/perform.ts'
import { createTransmitter, type Transmitter } from './effects/transmit.ts'
import { createHistogram } from './histogram.ts'
import { logListening, logPacket } from './log-lines.ts'
import { reportLosses } from './loss-report.ts'
import { type GatewayStatus, type Observer, Observers } from './observer.ts'
import { type Broker, openBroker } from './open-broker.ts'
import { bearings, closed, isDurable, openStore, settled } from './open-store.ts'
import { type ReloadReport, reload } from './rules/reload.ts'
import { createSurroundings, type Surroundings } from './rules/sensor-rules.ts'
import { statusOf } from './status.ts'
import { publishStatus } from './status-topics.ts'
import { createSteps, type Steps } from './turns.ts'
import type { Share } from './worker-share.ts'

/** How often deadlines are looked at, milliseconds: far below the shortest interval of the protocol. */
const TICK = 50

/** What surrounds a gateway; everything has a default. */
export interface GatewayParts {
  log?: Log
  store?: Store // instead of the one that the configuration names
  share?: Share // it is one of several that share the sensors
}

/**
 * An MQTT-SN gateway: sensors on UDP, one MQTT connection each to the broker [4.1].
 * `start()` binds the listeners, `stop()` ends all connections; both may be called once.
 */
export class Gateway {
  readonly sessions: Sessions
  readonly #config: Config
  readonly #log: Log
  readonly #share: Share | undefined
  #store: Store | undefined
  /** from a QoS 1 or 2 publish to the broker's final answer, seconds */
  readonly latency = createHistogram()
  readonly #counters = createCounters()
  /** what the session core works with; its totals are live */
  readonly surroundings: Surroundings
  readonly #observers = new Observers((error) => this.#steps.onFault(error, undefined))
  readonly #links = new Map<Listener, Link>()
  readonly #intake = createIntake({
    counters: this.#counters,
    limits: () => this.#config.limits,
    isBehind: () => (this.#performer?.held ?? 0) > MANY_HELD,
    handle: (link, bytes, remote) => this.#onDatagram(receive, link, bytes, remote),
    turnAway: (link, bytes, remote) => this.#onDatagram(turnAway, link, bytes, remote),
  })
  readonly #transmitter: Transmitter
  readonly #steps: Steps
  #broker: Broker | undefined
  #performer: Performer | undefined
  #ticker: NodeJS.Timeout | undefined
  #reports: (() => void)[] = []

  constructor(config: Config, { log = silentLog, store, share }: GatewayParts = {}) {
    this.#config = config
    this.#log = log
    this.#store = store
    this.#share = share
    this.sessions = share?.sessions ?? createSessions()
    this.surroundings = createSurroundings(config, Math.random)
    const { isHealthy } = this
    const [links, counters, observers] = [this.#links, this.#counters, this.#observers]
    this.#transmitter = createTransmitter({ config, links, counters, observers, log, isHealthy })
    this.#steps = createSteps({
      sessions: this.sessions,
      env: this.surroundings.env,
      counters,
      log,
      perform: (effects) => this.#performer?.perform(effects),
    })
  }

  /**
   * Binds all listeners, takes up the sessions in the store and begins to serve; rejects, with nothing left open, if a
   * listener cannot be bound or the store cannot be used (StoreError).
   */
  async start(): Promise<void> {
    await this.prepare()
    this.serve()
  }

  /** The first half of `start`: everything is there, and what comes from sensors waits. */
  async prepare(): Promise<void> {
    try {
      // listeners first: where they are taken, another gateway runs, whose store and connections must be left alone
      for (const [index, listener] of this.#config.listeners.entries()) {
        const link = await openLink(listener, index, performance.now(), this.#intake.receive, this.#share)
        this.#links.set(link.listener, link)
        if (this.#share === undefined) logListening(this.#log, link)
      }
      this.#store ??= await openStore(this.#config, this.#log, this.#share?.stored)
      const sessions = await this.#store.load()
      this.#broker = await openBroker(this.#config, this.#log, this.#share)
      this.#performer = this.#createPerformer(this.#store, this.#broker)
      const found = bearings(this.#links.values())
      for (const one of sessions)
        this.#steps.attempt(undefined, (turn) => restore(this.sessions, one, found, turn))
    } catch (error) {
      await this.#close()
      throw error
    }
  }

  /** The second half of `start`: sensors are served, those first that could not wait. */
  serve(): void {
    this.#intake.open()
    this.#ticker = setInterval(() => this.#tick(), TICK)
    this.#reports = [publishStatus(this, this.#config, this.#share), reportLosses(this.#log, this.#counters)]
  }

  /**
   * Ends connections to the broker without wills and frees the ports, within some seconds. Sensors are told [SN-ROB-5],
   * unless their sessions are in a durable store: then the next start goes on with them [SN-SESS-10].
   */
  async stop(): Promise<void> {
    clearInterval(this.#ticker)
    this.#intake.close()
    for (const end of this.#reports) end()
    for (const session of [...this.sessions.byClientId.values()]) {
      if (!isDurable(this.#config)) this.dispatch(session, { type: 'shutdown' })
      else this.#steps.attempt(session, ({ out }) => out.push({ type: 'saveProgress', session, lazy: true }))
    }
    if (this.#store !== undefined) await settled(this.#store, this.#log) // what waits for a write goes out first
    await this.#close()
  }

  async #close(): Promise<void> {
    this.#intake.close()
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
      towardsSensor: (effect) => this.#transmitter.perform(effect),
      onEvent: this.#steps.dispatch,
      attempt: this.#steps.attempt,
      onOverfull: this.#steps.abandon,
    })
  }

  /**
   * Takes over another configuration as far as no session has to end for that, and logs what is applied and what needs a
   * restart. Throws an Error, with nothing changed, if the broker's certificates cannot be used.
   */
  reload(next: Config): ReloadReport {
    const [config, links, broker, log] = [this.#config, this.#links.values(), this.#broker, this.#log]
    return reload(this, { config, links, broker, log, share: this.#share }, next)
  }

  /** Publishes at QoS 0 on the gateway's own connection; false if that is down or congested. */
  publish(topic: string, payload: Uint8Array, retain: boolean): boolean {
    return this.#broker?.upstream.publishAnonymous(topic, payload, retain) ?? false
  }

  /** Registers an observer; returns how to end that. */
  observe(observer: Observer): () => void {
    return this.#observers.add(observer)
  }

  /** How it stands; read when asked for. */
  status(): GatewayStatus {
    const [links, broker, store, held] = [this.#links, this.#broker, this.#store, this.#performer?.held]
    const [config, counters, sensors] = [this.#config, this.#counters, this.sessions.byClientId.size]
    return statusOf({ config, links, broker, store, held, counters, sensors })
  }

  /** Whether the broker can be reached; far cheaper than `status`, which asks the system about every listener. */
  readonly isHealthy = (): boolean => this.#broker?.upstream.healthy ?? false

  /** What is to be done with it is a step of the core. */
  #onDatagram(step: typeof receive, link: Link, bytes: Uint8Array, { address, port }: Remote): void {
    const received = receiveDatagram(link, bytes, address, this.#counters)
    if (received === undefined) return
    const { packet, nodeId } = received
    const key = peerKey(link.index, address, port, nodeId)
    const session = this.sessions.byPeer.get(key)
    const peer = session?.peer ?? { key, listener: link.listener, address, port, nodeId }
    logPacket(this.#log, 'received', packet, peer, this.#config.log.payloads)
    this.#observers.received(packet, peer, session, bytes)
    if (this.#steps.attempt(session, (turn) => step(this.sessions, packet, peer, turn))) return
    const broken = session ?? this.sessions.byPeer.get(key)
    if (broken !== undefined) this.#steps.abandon(broken)
  }

  /** The sensor `clientId` has come, to another gateway of several, to an address where a sensor of this one was. */
  displace(key: PeerKey, clientId: string): void {
    const session = this.sessions.byPeer.get(key)
    this.#steps.attempt(session, (turn) => displace(this.sessions, clientId, key, turn))
  }

  /** Hands an event to a session and does what follows from it. */
  dispatch(session: Session, event: Event): void {
    this.#steps.dispatch(session, event)
  }

  #tick(): void {
    const now = performance.now()
    if (this.#intake.isCatchingUp) return
    for (const session of dueSessions(this.sessions, now)) this.dispatch(session, { type: 'deadline' })
    this.#transmitter.advertise(now)
  }
}
