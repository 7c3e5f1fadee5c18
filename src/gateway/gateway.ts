// The shell: the only place where datagrams, broker, store, time and sessions meet, and where effects happen.

import type { Config } from '../config/schema.ts'
import { createHistogram } from '../histogram.ts'
import { type Log, silentLog } from '../log.ts'
import type { Event } from '../session/events.ts'
import type { Listener, PeerKey } from '../session/peers.ts'
import type { Session } from '../session/session.ts'
import { displaceSession } from '../sessions/connect/takeover.ts'
import type { Leaving } from '../sessions/ownership/let-go.ts'
import type { Sessions } from '../sessions/table.ts'
import type { Store } from '../store/store.ts'
import { type Admissions, createAdmissions } from './admission/admit.ts'
import { createCounters } from './counters.ts'
import { Attention } from './datagrams/attention.ts'
import { bindListeners } from './datagrams/bind-listeners.ts'
import { createIntake, type Intake } from './datagrams/intake.ts'
import { createLinkGuards } from './datagrams/link-guard.ts'
import type { BoundListener, OwnLinks } from './datagrams/listener.ts'
import type { ReceptionBooks } from './datagrams/reception.ts'
import { createSecureSessions } from './dtls/association-use.ts'
import { createWriting } from './effects/writing.ts'
import { type GatewayStatus, type Observer, Observers } from './observer.ts'
import { closeStore, isDurable, settleStore } from './open-store.ts'
import type { GatewayParts } from './parts.ts'
import { reportLosses } from './reports/loss-report.ts'
import { createRefusals, type Refusals } from './reports/refusals.ts'
import { type ReloadReport, reloadConfig } from './rules/reload.ts'
import { createSensorRules, type SensorRules } from './rules/sensor-rules.ts'
import { openServing, type Serving, slotsOf } from './serving.ts'
import { createStatus } from './status.ts'
import { publishStatus } from './status-topics/publish-status.ts'
import type { Tenure } from './tenure.ts'
import { reportFault } from './turns.ts'
import { unguessable } from './unguessable.ts'
import type { WorkerShare } from './worker-share.ts'

/** How often deadlines are looked at, milliseconds: far below the shortest interval of the protocol. */
const TICK = 50

/**
 * An MQTT-SN gateway: sensors on UDP, one MQTT connection each to the broker [4.1].
 * `start()` binds the listeners, `stop()` ends all connections; both may be called once.
 */
export class Gateway {
  readonly sessions: Sessions
  /** what the session core works with; its totals are live */
  readonly rules: SensorRules
  /** who is asked whether a sensor may be here */
  readonly admissions: Admissions
  /** from a QoS 1 or 2 publish to the broker's final answer, seconds */
  readonly latency = createHistogram()
  /** what its listeners were opened with, and what they have left there */
  readonly links: OwnLinks
  readonly writing = createWriting(() => this.#serving?.store)
  readonly #config: Config
  readonly #log: Log
  readonly #share: WorkerShare | undefined
  readonly #onDeposed: GatewayParts['onDeposed']
  readonly #tenure: Tenure | undefined
  readonly #counters = createCounters()
  readonly #observers: Observers
  readonly #refusals: Refusals
  readonly #books: ReceptionBooks
  readonly #intake: Intake
  readonly #listeners = new Map<Listener, BoundListener>()
  /** instead of the one that the configuration names */
  readonly #store: Store | undefined
  // from `prepare` on
  #serving: Serving | undefined
  // from `serve` on
  #ticker: NodeJS.Timeout | undefined
  #reports: (() => void)[] = []
  #attention: Attention | undefined

  constructor(config: Config, parts: GatewayParts = {}) {
    const { log = silentLog, store, share, findKey, onDeposed, tenure } = parts
    this.#config = config
    this.#log = log
    this.#store = store
    this.#share = share
    this.#onDeposed = onDeposed
    this.#tenure = tenure
    this.sessions = share?.sessions ?? createSecureSessions(config, this.#listeners)
    this.rules = createSensorRules(config, unguessable)
    this.admissions = createAdmissions(config, log)
    this.#observers = new Observers((error) => reportFault(error, this.#counters, log))
    const counters = this.#counters
    this.#refusals = createRefusals({ counters, log, onRefused: (one) => this.#observers.refused(one) })
    this.#books = {
      counters,
      onRefused: (one) => this.#refusals.report(one),
      onDiscarded: (reason, from) => this.#observers.discarded(reason, from, undefined),
    }
    const secure = { log, books: this.#books, sessions: this.sessions, findKey, links: new Map() }
    const guards = share === undefined && tenure ? createLinkGuards(tenure, this.#books) : undefined
    this.links = { log, share, secure, guards }
    this.#intake = createIntake({ ...this.#books, limits: () => config.limits })
  }

  /**
   * Binds all listeners, takes up the sessions in the store and begins to serve; rejects, with nothing left open, if a
   * listener cannot be bound or the store cannot be used (StoreError).
   */
  async start(): Promise<void> {
    await this.prepare()
    this.serve()
  }

  /** Binds what is not bound yet; `early`: only what may be bound while another process serves. Nothing is served before `serve`. */
  async bind(early = false): Promise<void> {
    await bindListeners(this.#config, this.#listeners, this.#intake.receive, this.links, early)
  }

  /** The first half of `start`: everything is there, and what comes from sensors waits. `slots`: those to begin with. */
  async prepare(slots = slotsOf(this.#share)): Promise<void> {
    try {
      // listeners first: where they are taken, another gateway runs, whose store and connections must be left alone
      await this.bind()
      this.#serving = await this.#openServing()
      this.#serving.store.onDeposed((why) => this.#onDeposed?.(why))
      await this.#serving.ownership.adopt(slots)
    } catch (error) {
      await this.#close()
      throw error
    }
  }

  #openServing(): Promise<Serving> {
    const [config, log, listeners, counters] = [this.#config, this.#log, this.#listeners, this.#counters]
    const [observers, refusals, books] = [this.#observers, this.#refusals, this.#books]
    const [store, share, tenure] = [this.#store, this.#share, this.#tenure]
    const { sessions, rules, latency, admissions } = this
    const forTurns = { sessions, rules, latency, counters, observers, refusals, admissions, log, tenure }
    return openServing({ ...forTurns, config, listeners, books, store, share })
  }

  /** Takes up the sessions of these slots, and serves their sensors, as if nothing had happened since they were let go; see `Ownership`. */
  async adopt(slots: readonly number[]): Promise<void> {
    await this.#opened().ownership.adopt(slots)
  }

  /** Lets go of these slots: somebody else is to go on with their sensors, who are not told; see `Ownership`. */
  async release(slots: readonly number[], how: Leaving): Promise<void> {
    await this.#opened().ownership.release(slots, how)
  }

  #opened(): Serving {
    if (this.#serving === undefined) throw new Error('the gateway is not prepared')
    return this.#serving
  }

  /** The second half of `start`: sensors are served, those first that could not wait. Throws before the first half. */
  serve(): void {
    const { handler, broker, speaks, turns } = this.#opened()
    turns.begin()
    this.#intake.open(handler)
    this.#attention = this.#tenure && new Attention(this.#tenure, performance.now())
    this.#ticker = setInterval(() => this.#tick(), TICK)
    this.#reports = [
      publishStatus(this, broker.upstream, this.#config, { speaks, share: this.#share }),
      reportLosses(this.#log, this.#counters),
    ]
  }

  /**
   * Ends connections to the broker without wills and frees the ports, within some seconds. Sensors are told [SN-ROB-5],
   * unless their sessions are in a durable store: then the next start goes on with them [SN-SESS-10].
   */
  async stop(): Promise<void> {
    this.#ticker = void clearInterval(this.#ticker)
    this.#intake.close()
    for (const end of this.#reports) end()
    for (const session of [...this.sessions.byClientId.values()]) {
      this.dispatch(session, { type: isDurable(this.#config) ? 'suspend' : 'shutdown' })
    }
    if (this.#serving !== undefined) await settleStore(this.#serving.store, this.#log) // effects that wait for it are performed first
    await this.#close()
  }

  async #close(): Promise<void> {
    this.#intake.close()
    this.links.guards?.close()
    this.admissions.close()
    const { ownership, broker, store } = this.#serving ?? {}
    ownership?.close()
    await broker?.close()
    await Promise.all([...this.#listeners.values()].map(({ transport }) => transport.close()))
    this.#listeners.clear()
    if (store !== undefined) await closeStore(store, this.#log)
    this.#serving = undefined
  }

  /**
   * Takes over another configuration as far as no session has to end for that, and logs what is applied and what needs a
   * restart. Throws an Error, with nothing changed, if the broker's certificates cannot be used.
   */
  reload(next: Config): ReloadReport {
    const listeners = [...this.#listeners.values()]
    const [config, broker] = [this.#config, this.#serving?.broker]
    return reloadConfig(this, { config, listeners, broker, ...this.links }, next)
  }

  /** Publishes at QoS 0 on the gateway's own connection; false if that is down or congested. */
  publish(topic: string, payload: Uint8Array, retain: boolean): boolean {
    return this.#serving?.broker.upstream.publishOwn(topic, payload, retain) ?? false
  }

  /** Registers an observer; returns how to end that. */
  observe(observer: Observer): () => void {
    return this.#observers.add(observer)
  }

  /** Its status, as it is now. */
  status(): GatewayStatus {
    const { broker, store, turns } = this.#serving ?? {}
    const [listeners, config, counters] = [this.#listeners, this.#config, this.#counters]
    const sensors = this.sessions.byClientId.size
    return createStatus({ config, listeners, broker, store, held: turns?.held, counters, sensors })
  }

  /** Whether the broker can be reached; far cheaper than `status`, which asks the system about every listener. */
  isHealthy(): boolean {
    return this.#serving?.broker.upstream.healthy ?? false
  }

  /** The sensor `clientId` has come, to another gateway of several, to an address where a sensor of this one was. */
  displace(key: PeerKey, clientId: string): void {
    const session = this.sessions.byPeer.get(key)
    this.#serving?.turns.attempt(session, (turn) => displaceSession(this.sessions, clientId, key, turn))
  }

  /** Hands an event to a session and does what follows from it. */
  dispatch(session: Session, event: Event): void {
    this.#serving?.turns.dispatch(session, event)
  }

  #tick(): void {
    if (this.#ticker === undefined) return
    const now = performance.now()
    if (this.#intake.isCatchingUp || this.#attention?.isThere(this.sessions, now) === false) return
    const { ownership, turns, transmitter, speaks } = this.#opened()
    ownership.check.tick(now)
    turns.passDeadlines(now, ownership, () => this.#tick())
    if (speaks()) transmitter.advertise(now)
  }
}
