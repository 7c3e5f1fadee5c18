// The gateway's own connection: it shows whether the broker can be reached, carries the gateway's status, and decides which
// broker of the list is used [7.1, SN-QM1-4].

import { SensorConnection } from '../connection.ts'
import type { Shared } from '../connection-parts.ts'
import { HeardTopics } from './heard-topics.ts'
import { NameFight } from './name-fight.ts'

/** A run of this many milliseconds counts as success: the pauses start over from the shortest. */
const STABLE = 10_000

/** Longest pause, milliseconds: the sensors' connections wait while this one finds no broker. */
const LONGEST = 5000

/** Longest pause before the next broker of the list is tried, milliseconds. */
const NEXT_BROKER = 50

/** A broker that closes the connection so soon after a publish may mean that publish, milliseconds. */
const SOON = 1000

/** How often it does so in a row before publishing pauses, and for how long it does: at first, and at most. */
const STRIKES = 3
const FIRST_SILENCE = 60_000
const LONGEST_SILENCE = 3_600_000

/** Kept connected until `close`. */
export class OwnConnection {
  readonly #shared: Shared
  readonly #connection: SensorConnection
  readonly #onBroker: () => void
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  /** brokers that have failed since one was connected */
  #failed = 0
  #since = 0
  #state: 'down' | 'up' | 'moving' = 'down'
  #congested = false
  #openings = 0
  #url = ''
  /** why the broker does not accept it, if it does not */
  #trouble: string | undefined
  /** when it last published, how often the connection ended soon after that, until when it must not */
  #publishedAt = Number.NEGATIVE_INFINITY
  #strikes = 0
  #silentUntil = 0
  readonly #fight = new NameFight()
  readonly #heard: HeardTopics
  /** connections in a row that did not last */
  #short = 0

  /** `onBroker`: told when another broker has become the current one. */
  constructor(shared: Shared, onBroker: () => void) {
    this.#shared = shared
    this.#onBroker = onBroker
    const { log } = shared.options
    this.#connection = new SensorConnection(shared, (event) => {
      if (event.type === 'connected') this.#connected()
      else if (event.type === 'refused') {
        this.#report(event.detail, event.answered === true)
        this.#state = 'down'
        this.#fight.forget()
        this.#refused(event.outcome)
      } else if (event.type === 'closed') {
        const isShort = shared.now() - this.#since < STABLE
        if (!isShort) this.#failures = 0
        this.#state = 'down'
        shared.options.onOwnEnded?.()
        this.#noteEnd(event.why)
        log.warn({ detail: event.detail }, 'lost the connection to the broker')
        this.#judgePublishing()
        this.#leaveIfShort(isShort && event.why !== 'taken-over')
        this.#retryLater(shared.endpoints.all.length > 1)
      } else if (event.type === 'congestion') this.#congested = event.on
      else if (event.type === 'message') this.#heard.take(event.message)
      else if (event.type === 'subscribed') this.#heard.answered(event.token, event.outcome)
    })
    this.#heard = new HeardTopics(this.#connection, log)
    this.#open()
  }

  /** Stays true while the connection goes from one broker to another that is known to answer. */
  get healthy(): boolean {
    return this.#state !== 'down'
  }

  get trouble(): string | undefined {
    return this.#trouble
  }

  /** how often it has been opened */
  get openings(): number {
    return this.#openings
  }

  /** See `Upstream.publishOwn`. */
  publish(topic: string, payload: Uint8Array, retain: boolean): boolean {
    if (this.#state !== 'up' || this.#congested) return false
    const now = this.#shared.now()
    if (now < this.#silentUntil) return false
    if (this.#strikes > 0 && now - this.#since >= SOON) this.#strikes = 0
    this.#publishedAt = now
    this.#connection.publish(0, topic, payload, 0, retain, false)
    return true
  }

  /** See `Upstream.hearOwn`. */
  hear(topic: string, onMessage: (payload: Uint8Array) => void): void {
    this.#heard.add(topic, onMessage)
    if (this.#state === 'up') this.#listen()
  }

  /** Goes to the broker that is the current one now. */
  move(): void {
    if (this.#state === 'up') this.#state = 'moving'
    clearTimeout(this.#timer)
    this.#open()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#state = 'down'
    this.#connection.close(false, true)
  }

  #connected(): void {
    const { now, endpoints, options } = this.#shared
    const { url } = endpoints.current
    this.#state = 'up'
    this.#trouble = undefined
    this.#congested = false
    this.#since = now()
    this.#shared.presence.appear()
    this.#failed = 0
    this.#openings += 1
    options.log.info({ url }, 'connected to the broker')
    if (this.#url !== '' && this.#url !== url) {
      options.log.warn({ url, before: this.#url }, 'another broker of the list is used now')
    }
    this.#url = url
    this.#listen()
  }

  /** Some brokers close the connection at a topic that is not permitted, as they do at a publish. */
  #listen(): void {
    const now = this.#shared.now()
    if (now >= this.#silentUntil && this.#heard.subscribe()) this.#publishedAt = now
  }

  #open(): void {
    this.#connection.connect({
      identity: this.#shared.options.own,
      clean: true,
      mend: false,
      will: this.#shared.options.ownWill,
    })
  }

  /** One line per outage, and one more when the broker gives another reason. */
  #report(detail: string, answered: boolean): void {
    const { endpoints, options } = this.#shared
    const fields = { url: endpoints.current.url, detail }
    const before = this.#trouble
    this.#trouble = answered ? detail : undefined
    if (answered && detail !== before) options.log.error(fields, 'the broker does not accept the gateway')
    else if (!answered && this.#failures === 0) options.log.warn(fields, 'the broker cannot be reached')
  }

  /** The next broker of the list has its turn, unless this one only refuses the gateway itself. */
  #refused(outcome: 1 | 3): void {
    const { endpoints } = this.#shared
    this.#failed += 1
    const hasOthers = this.#failed % endpoints.all.length !== 0
    if ((outcome === 1 || this.#openings === 0) && endpoints.advance()) this.#onBroker()
    this.#retryLater(hasOthers)
  }

  /** Tries again after a pause that doubles, of which a random half is left out [SN-MAP-31]; `soon`: a broker is left to try. */
  #retryLater(soon: boolean): void {
    const { reconnect, random = Math.random } = this.#shared.options
    const longest = soon ? NEXT_BROKER : LONGEST
    const usual = Math.min(longest, reconnect.max, reconnect.min * 2 ** Math.min(this.#failures, 30))
    const pause = Math.max(usual, this.#fight.truce)
    this.#failures += 1
    this.#timer = setTimeout(() => this.#open(), pause * (0.5 + random() / 2))
  }

  /** A broker that accepts the gateway and hangs up soon, again and again, is no better than one that refuses it. */
  #leaveIfShort(isShort: boolean): void {
    const { now, endpoints } = this.#shared
    const isBlamed = now() - this.#publishedAt < SOON
    this.#short = isShort && !isBlamed ? this.#short + 1 : 0
    if (this.#short < STRIKES || !endpoints.advance()) return
    this.#short = 0
    this.#fight.forget()
    this.#onBroker()
  }

  #noteEnd(why: 'lost' | 'unexplained' | 'taken-over' | 'forbidden'): void {
    const { presence, options } = this.#shared
    const now = this.#shared.now()
    presence.vanish(now)
    this.#fight.noteEnd({ why, since: this.#since, publishedAt: this.#publishedAt, now }, options)
  }

  /** A broker that forbids the gateway's topics may close the connection at each of them: they must not cost more. */
  #judgePublishing(): void {
    const { now, options } = this.#shared
    if (now() - this.#publishedAt >= SOON) return
    this.#strikes += 1
    if (this.#strikes < STRIKES) return
    const silence = Math.min(LONGEST_SILENCE, FIRST_SILENCE * 2 ** (this.#strikes - STRIKES))
    this.#silentUntil = now() + silence
    const remedy =
      'let the broker permit the topics below status.prefix and homeAssistant.prefix, or set status.enabled and homeAssistant.discovery to false'
    const fields = { seconds: silence / 1000, remedy }
    options.log.error(fields, 'the broker closes the connection when the gateway publishes its status')
  }
}
