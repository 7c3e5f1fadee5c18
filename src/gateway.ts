// The shell: the only place where datagrams, broker, store, time and sessions meet, and where effects happen.

import { decodeFrame, encodeFrame } from './codec/frame.ts'
import type { Packet } from './codec/messages.ts'
import type { Config } from './config/schema.ts'
import { type Counters, count, createCounters } from './gateway/counters.ts'
import { logChange, logPacket } from './gateway/journal.ts'
import { type Link, openLink } from './gateway/links.ts'
import { createSurroundings, type Surroundings } from './gateway/surroundings.ts'
import { createLog, type Log } from './log.ts'
import { advertiseDue, onAdvertise } from './session/discovery.ts'
import type { Effect, Event, Peer } from './session/events.ts'
import { peerKey } from './session/peers.ts'
import type { Session } from './session/session.ts'
import { createSessions, dispatch, receive, restore, type Sessions } from './session/sessions.ts'
import type { Turn } from './session/settings.ts'
import { createMemoryStore } from './store/memory.ts'
import type { Store } from './store/store.ts'
import type { Remote, TransportStats } from './transport/transport.ts'
import { startEmbeddedBroker } from './upstream/embedded.ts'
import { createUpstream } from './upstream/mqtt.ts'
import type { Upstream, UpstreamConnection, UpstreamStats } from './upstream/upstream.ts'

/** How often deadlines are looked at, milliseconds: far below the shortest interval of the protocol. */
const TICK = 50

/** How long a stopping gateway waits for broker connections to end. */
const STOP_DEADLINE = 2000

/** Sees everything that goes through the two doors, while it is registered; for views, traces and tests. */
export interface Observer {
  /** a message from a sensor, or from a stranger, before it is handled */
  received?(packet: Packet, peer: Peer, session: Session | undefined): void
  /** something to be done, before it is done */
  effect?(effect: Effect): void
}

/** For gateways that are given no log. */
const silentLog: Log = createLog({ level: 'silent', format: 'json', payloads: false })

/** What surrounds a gateway; everything has a default. */
export interface GatewayParts {
  log?: Log
  store?: Store
}

/** A gateway's view of itself. */
export interface GatewayStatus {
  readonly listeners: readonly { name: string; url: string; stats: TransportStats }[]
  readonly broker: { url: string; healthy: boolean } & Partial<UpstreamStats>
  readonly counters: Counters
  readonly sensors: number
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
  readonly #counters = createCounters()
  readonly #surroundings: Surroundings
  readonly #observers = new Set<Observer>()
  readonly #connections = new Map<Session, UpstreamConnection>()
  #links: Link[] = []
  #upstream: Upstream | undefined
  #brokerUrl = ''
  #closeBroker: (() => Promise<void>) | undefined
  #ticker: NodeJS.Timeout | undefined

  constructor(config: Config, { log = silentLog, store = createMemoryStore() }: GatewayParts = {}) {
    this.#config = config
    this.#log = log
    this.#store = store
    this.#surroundings = createSurroundings(config, Math.random)
  }

  /** Binds all listeners and begins to serve; rejects, with nothing left open, if one cannot be bound. */
  async start(): Promise<void> {
    try {
      this.#upstream = await this.#openUpstream()
      for (const stored of await this.#store.load()) restore(this.sessions, stored, this.#turn())
      for (const [index, listener] of this.#config.listeners.entries()) {
        const link = await openLink(listener, index, performance.now(), this.#onDatagram)
        this.#links.push(link)
        this.#reportLink(link)
      }
    } catch (error) {
      await this.stop()
      throw error
    }
    this.#ticker = setInterval(() => this.#tick(), TICK)
  }

  /** Tells connected sensors, ends their broker connections without wills, frees the ports [SN-ROB-5]. */
  async stop(): Promise<void> {
    clearInterval(this.#ticker)
    for (const session of [...this.sessions.byClientId.values()])
      this.#dispatch(session, { type: 'shutdown' })
    await this.#upstream?.close(STOP_DEADLINE)
    await Promise.all(this.#links.map(({ transport }) => transport.close()))
    this.#links = []
    await this.#store.close()
    await this.#closeBroker?.()
  }

  /** Registers an observer; returns how to end that. */
  observe(observer: Observer): () => void {
    this.#observers.add(observer)
    return () => void this.#observers.delete(observer)
  }

  status(): GatewayStatus {
    return {
      listeners: this.#links.map(({ listener: { name }, transport }) => ({
        name,
        url: transport.url,
        stats: transport.stats(),
      })),
      broker: { url: this.#brokerUrl, healthy: this.#upstream?.healthy ?? false, ...this.#upstream?.stats() },
      counters: this.#counters,
      sensors: this.sessions.byClientId.size,
    }
  }

  async #openUpstream(): Promise<Upstream> {
    const { broker } = this.#config
    this.#brokerUrl = broker.url
    if (broker.url === 'embedded') {
      const embedded = await startEmbeddedBroker()
      this.#closeBroker = embedded.close
      this.#brokerUrl = embedded.url
    }
    return createUpstream({
      url: this.#brokerUrl,
      version: broker.url === 'embedded' ? '3.1.1' : broker.version,
      tls: broker.tls ?? { verify: true },
      keepAlive: broker.keepAlive,
      connectTimeout: broker.connectTimeout,
      sessionExpirySeconds: Math.min(Math.round(broker.sessionExpiry / 1000), 0xffffffff),
      receiveMaximum: broker.receiveMaximum,
      writeBuffer: broker.writeBuffer,
      connectsPerSecond: broker.connectsPerSecond,
      connecting: broker.connecting,
      own: {
        clientId: broker.clientId,
        username: broker.username,
        password: broker.password,
      },
      reconnect: broker.reconnect,
      log: this.#log,
    })
  }

  #reportLink({ listener: { name }, transport, discovery }: Link): void {
    const { receiveBuffer, receiveBufferAsked } = transport.stats()
    this.#log.info(
      { listener: name, url: transport.url, receiveBuffer, discovery: discovery !== undefined },
      'listening',
    )
    if (receiveBuffer < receiveBufferAsked) {
      const remedy = `raise net.core.rmem_max to ${receiveBufferAsked}, or ask for less with receiveBuffer`
      this.#log.warn(
        { listener: name, receiveBuffer, receiveBufferAsked, remedy },
        'receive buffer smaller than asked',
      )
    }
  }

  #turn(): Turn {
    return { now: performance.now(), env: this.#surroundings.env, out: [] }
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
    if (this.#log.isLevelEnabled('trace'))
      logPacket(this.#log, 'received', packet, peer, this.#config.log.payloads)
    for (const observer of this.#observers) observer.received?.(packet, peer, session)
    this.#guard(session, (turn) => receive(this.sessions, packet, peer, turn))
  }

  #dispatch(session: Session, event: Event): void {
    this.#guard(session, (turn) => dispatch(this.sessions, session, event, turn))
  }

  /** Runs one step of the core and performs what it asks for. A bug costs one session, never the gateway. */
  #guard(session: Session | undefined, step: (turn: Turn) => void): void {
    const turn = this.#turn()
    try {
      step(turn)
      this.#perform(turn.out)
    } catch (error) {
      this.#counters.faults += 1
      this.#log.error({ err: error, clientId: session?.clientId }, 'internal error: the session is ended')
      if (session !== undefined) this.#abandon(session)
    }
  }

  #abandon(session: Session): void {
    const turn = this.#turn()
    try {
      dispatch(this.sessions, session, { type: 'shutdown' }, turn)
      this.#perform(turn.out)
    } catch (error) {
      this.#log.error({ err: error, clientId: session.clientId }, 'internal error while ending the session')
    }
  }

  /** In order and completely; what follows a write that is not yet durable waits for it. */
  #perform(effects: readonly Effect[], from = 0): void {
    let unsaved = false
    for (let i = from; i < effects.length; i++) {
      const effect = effects[i] as Effect
      if (unsaved && (effect.type === 'send' || effect.type === 'acknowledge')) {
        this.#store.flushed().then(
          () => this.#perform(effects, i),
          (error: unknown) =>
            this.#log.error({ err: error }, 'the store cannot write: nothing is acknowledged'),
        )
        return
      }
      for (const observer of this.#observers) observer.effect?.(effect)
      this.#performOne(effect)
      unsaved ||= (effect.type === 'save' || effect.type === 'keepMessage') && !this.#store.durable
    }
  }

  #performOne(effect: Effect): void {
    switch (effect.type) {
      case 'send':
        return this.#send(effect.peer, effect.packet)
      case 'publish':
        this.#counters.published += 1
        return this.#connection(effect.session).publish(
          effect.token,
          effect.topic,
          effect.payload,
          effect.qos,
          effect.retain,
        )
      case 'publishAnonymous':
        if (this.#upstream?.publishAnonymous(effect.topic, effect.payload, effect.retain)) {
          this.#counters.published += 1
        } else count(this.#counters.dropped, 'upstream-down')
        return
      case 'acknowledge':
        return this.#connection(effect.session).acknowledge(effect.ack)
      case 'connect': {
        const identity = this.#surroundings.identityOf(effect.session.clientId)
        const { clean, fresh, will } = effect
        return this.#connection(effect.session).connect({ identity, clean, fresh, will })
      }
      case 'subscribe':
        return this.#connection(effect.session).subscribe(
          effect.token,
          effect.filter,
          effect.qos,
          effect.replay,
        )
      case 'unsubscribe':
        return this.#connection(effect.session).unsubscribe(effect.token, effect.filter)
      case 'close':
        return this.#connections.get(effect.session)?.close(effect.publishWill)
      case 'save':
        return this.#store.save(effect.session)
      case 'keepMessage':
        return this.#store.keepMessage(effect.session.clientId, effect.message)
      case 'dropMessage':
        return this.#store.dropMessage(effect.session.clientId, effect.message.id)
      case 'forget':
        this.#connections.delete(effect.session)
        return this.#store.forget(effect.session.clientId)
      case 'drop':
        return count(this.#counters.dropped, effect.reason)
      case 'changed':
        return logChange(this.#log, effect)
      case 'gwinfo':
        return this.#answerSearch(effect.peer, effect.radius)
    }
  }

  #connection(session: Session): UpstreamConnection {
    let connection = this.#connections.get(session)
    if (connection === undefined) {
      if (this.#upstream === undefined) throw new Error('the gateway is not started')
      connection = this.#upstream.connection((event) => {
        if (event.type === 'message') this.#counters.delivered += 1
        this.#dispatch(session, event)
      })
      this.#connections.set(session, connection)
    }
    return connection
  }

  #linkOf(peer: Peer): Link | undefined {
    return this.#links.find(({ listener }) => listener === peer.listener)
  }

  #send(peer: Peer, packet: Packet, radius = 0): void {
    const { transport } = this.#linkOf(peer) ?? {}
    if (transport === undefined) return
    const bytes = encodeFrame(packet, peer.nodeId, radius)
    count(this.#counters.sent, packet.type)
    this.#counters.sentDatagrams += 1
    this.#counters.sentOctets += bytes.length
    if (this.#log.isLevelEnabled('trace'))
      logPacket(this.#log, 'sent', packet, peer, this.#config.log.payloads)
    transport.send(bytes, peer)
  }

  /** GWINFO to the one who asked, and to the whole network where there is a group [SN-SGW-2, SN-FWD-7, AMB-27]. */
  #answerSearch(peer: Peer, radius: number): void {
    if (!this.#upstream?.healthy) return count(this.#counters.dropped, 'upstream-down')
    const packet: Packet = { type: 'gwinfo', gwId: this.#config.gateway.id, gwAdd: new Uint8Array(0) }
    const nodeRadius = radius >= 1 && radius <= 3 ? radius : 3
    this.#send(peer, packet, peer.nodeId === undefined ? 0 : nodeRadius)
    if (peer.nodeId === undefined) this.#linkOf(peer)?.transport.broadcast(encodeFrame(packet), radius)
  }

  #tick(): void {
    const now = performance.now()
    for (const session of this.sessions.byClientId.values()) {
      if (session.wakeAt <= now) this.#dispatch(session, { type: 'deadline' })
    }
    for (const { discovery, transport } of this.#links) {
      if (discovery === undefined || !advertiseDue(discovery, this.#upstream?.healthy ?? false, now)) continue
      const duration = Math.round(discovery.advertising.interval / 1000)
      count(this.#counters.sent, 'advertise')
      transport.broadcast(encodeFrame({ type: 'advertise', gwId: this.#config.gateway.id, duration }), 0)
    }
  }
}
