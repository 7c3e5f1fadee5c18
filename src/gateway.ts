// The shell: the only place where datagrams, broker, store, time and sessions meet, and where effects happen.

import { decodeFrame, encodeFrame } from './codec/frame.ts'
import type { Packet } from './codec/messages.ts'
import type { Config } from './config/schema.ts'
import { type Broker, openBroker } from './gateway/broker.ts'
import { count, countSent, createCounters } from './gateway/counters.ts'
import { logChange, logListening, logPacket } from './gateway/journal.ts'
import { createHistogram } from './gateway/latency.ts'
import { type Link, linkStatus, openLink } from './gateway/links.ts'
import { type GatewayStatus, type Observer, Observers } from './gateway/observer.ts'
import { createPerformer, type Performer } from './gateway/performer.ts'
import { publishStatus } from './gateway/status.ts'
import { createSurroundings, type Surroundings } from './gateway/surroundings.ts'
import { type Log, silentLog } from './log.ts'
import { advertiseDue, mayAnswerAll, onAdvertise } from './session/discovery.ts'
import type { Effect, Event, Listener, Peer } from './session/events.ts'
import { peerKey } from './session/peers.ts'
import type { Session } from './session/session.ts'
import { createSessions, dispatch, evict, receive, restore, type Sessions } from './session/sessions.ts'
import type { Turn } from './session/settings.ts'
import { createMemoryStore } from './store/memory.ts'
import type { Store } from './store/store.ts'
import type { Remote } from './transport/transport.ts'

export { loadConfig } from './config/load.ts'
export { openConsole } from './gateway/observation.ts'
export type { GatewayStatus, Observer } from './gateway/observer.ts'
export { createMemoryStore } from './store/memory.ts'

/** How often deadlines are looked at, milliseconds: far below the shortest interval of the protocol. */
const TICK = 50

type SendEffect = Extract<Effect, { type: 'send' }>

/** What surrounds a gateway; everything has a default. */
export interface GatewayParts {
  log?: Log
  store?: Store
}

/**
 * An MQTT-SN gateway: sensors on UDP, one MQTT connection each to the broker [4.1].
 * `start()` binds the listeners, `stop()` ends all connections; both may be called once.
 */
export class Gateway {
  readonly sessions: Sessions = createSessions()
  readonly #config: Config
  readonly #log: Log
  readonly #store: Store
  /** from a QoS 1 or 2 publish to the broker's final answer, seconds */
  readonly latency = createHistogram()
  readonly #counters = createCounters()
  /** what the session core works with; its totals are live */
  readonly surroundings: Surroundings
  readonly #observers = new Observers((error) => this.#onFault(error, undefined))
  readonly #links = new Map<Listener, Link>()
  #broker: Broker | undefined
  #performer: Performer | undefined
  #ticker: NodeJS.Timeout | undefined
  #endStatus = () => {}

  constructor(config: Config, { log = silentLog, store = createMemoryStore() }: GatewayParts = {}) {
    this.#config = config
    this.#log = log
    this.#store = store
    this.surroundings = createSurroundings(config, Math.random)
  }

  /** Binds all listeners and begins to serve; rejects, with nothing left open, if one cannot be bound. */
  async start(): Promise<void> {
    try {
      this.#broker = await openBroker(this.#config, this.#log)
      this.#performer = createPerformer({
        upstream: this.#broker.upstream,
        store: this.#store,
        surroundings: this.surroundings,
        counters: this.#counters,
        latency: this.latency,
        towardsSensor: (effect) => this.#performTowardsSensor(effect),
        onEvent: (session, event) => this.dispatch(session, event),
        attempt: (step) => this.#attempt(undefined, step),
        onStoreError: (err) => this.#log.error({ err }, 'the store cannot write: nothing is acknowledged'),
      })
      for (const stored of await this.#store.load()) restore(this.sessions, stored, this.#turn())
      for (const [index, listener] of this.#config.listeners.entries()) {
        const link = await openLink(listener, index, performance.now(), this.#onDatagram)
        this.#links.set(link.listener, link)
        logListening(this.#log, link)
      }
    } catch (error) {
      await this.stop()
      throw error
    }
    this.#ticker = setInterval(() => this.#tick(), TICK)
    this.#endStatus = publishStatus(this, this.#config)
  }

  /** Tells connected sensors, ends their broker connections without wills, frees the ports [SN-ROB-5]. */
  async stop(): Promise<void> {
    clearInterval(this.#ticker)
    this.#endStatus()
    for (const session of [...this.sessions.byClientId.values()]) this.dispatch(session, { type: 'shutdown' })
    // what waits for a write goes out first
    await this.#store.flushed().catch((err: unknown) => this.#log.error({ err }, 'the store cannot write'))
    await this.#broker?.close()
    this.#broker = undefined
    await Promise.all([...this.#links.values()].map(({ transport }) => transport.close()))
    this.#links.clear()
    await this.#store.close()
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
    return {
      get listeners() {
        return links.map(linkStatus)
      },
      broker: { url: this.#broker?.url ?? '', healthy: this.isHealthy(), ...this.#broker?.upstream.stats() },
      counters: this.#counters,
      sensors: this.sessions.byClientId.size,
    }
  }

  /** Whether the broker can be reached; far cheaper than `status`, which asks the system about every listener. */
  readonly isHealthy = (): boolean => this.#broker?.upstream.healthy ?? false

  #turn(): Turn {
    return { now: performance.now(), env: this.surroundings.env, out: [] }
  }

  readonly #onDatagram = (link: Link, bytes: Uint8Array, { address, port }: Remote): void => {
    const counters = this.#counters
    counters.receivedDatagrams += 1
    counters.receivedOctets += bytes.length
    if (!link.admits(address)) return count(counters.dropped, 'not-allowed')
    if (bytes.length > link.listener.maxMessage) return count(counters.dropped, 'oversized')
    const { packet, nodeId } = decodeFrame(bytes)
    if (packet.type === 'malformed') return count(counters.dropped, `malformed: ${packet.reason}`)
    if (nodeId !== undefined && !link.isForwarder(address)) return count(counters.dropped, 'not-allowed')
    count(counters.received, packet.type)
    if (packet.type === 'advertise' && link.discovery !== undefined) {
      onAdvertise(link.discovery, packet.gwId, packet.duration, performance.now())
    }
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
    if (effect.type === 'send') this.#send(effect)
    else if (effect.type === 'changed') logChange(this.#log, effect)
    else if (effect.type === 'gwinfo') this.#answerSearch(effect.peer, effect.radius)
  }

  #send({ peer, packet, session, repeated = false }: Omit<SendEffect, 'type'>, radius = 0): void {
    const transport = this.#links.get(peer.listener)?.transport
    const bytes = encodeFrame(packet, peer.nodeId, radius)
    countSent(this.#counters, packet, bytes)
    if (repeated) this.#counters.retransmissions += 1
    this.#observers.sent(packet, peer, session, bytes, repeated)
    logPacket(this.#log, 'sent', packet, peer, this.#config.log.payloads)
    transport?.send(bytes, peer)
  }

  #broadcast({ transport }: Link, packet: Packet, radius: number): void {
    const bytes = encodeFrame(packet)
    countSent(this.#counters, packet, bytes)
    transport.broadcast(bytes, radius)
  }

  /** GWINFO to the one who asked, and to the whole network where there is a group [SN-SGW-2, SN-FWD-7, AMB-27]. */
  #answerSearch(peer: Peer, radius: number): void {
    if (!this.isHealthy()) return count(this.#counters.dropped, 'upstream-down')
    const packet: Packet = { type: 'gwinfo', gwId: this.#config.gateway.id, gwAdd: new Uint8Array(0) }
    const nearby = radius >= 1 && radius <= 3 ? radius : 3
    if (peer.nodeId !== undefined) return this.#send({ peer, packet }, nearby)
    this.#send({ peer, packet })
    const link = this.#links.get(peer.listener)
    if (link?.discovery && mayAnswerAll(link.discovery, performance.now()))
      this.#broadcast(link, packet, radius)
  }

  #tick(): void {
    const now = performance.now()
    for (const session of this.sessions.byClientId.values()) {
      if (session.wakeAt <= now) this.dispatch(session, { type: 'deadline' })
    }
    for (const link of this.#links.values()) this.#advertise(link, now)
  }

  #advertise(link: Link, now: number): void {
    const { discovery } = link
    if (discovery === undefined || !advertiseDue(discovery, this.isHealthy(), now)) return
    const duration = Math.round(discovery.advertising.interval / 1000)
    this.#broadcast(link, { type: 'advertise', gwId: this.#config.gateway.id, duration }, 0)
  }
}
