// One sensor of a chaos run: what it does, and what it notices that must not be.

import { pause } from '../../src/sensor/pause.ts'
import { type ReceivedMessage, Sensor, SensorError } from '../../src/sensor/sensor.ts'
import type { Air } from './air.ts'
import { labelText, parseLabel } from './books.ts'
import { choosePoison } from './poison.ts'
import { sendPoison } from './poison-sender.ts'
import { between, pick, type Random, seeded } from './random.ts'
import { predefined, type Role } from './roles.ts'
import type { Site } from './site.ts'
import { TopicWatch } from './topic-watch.ts'

const T_RETRY = 200
/** Patient enough for any restart: 20 s. */
const N_RETRY = 100
/** Milliseconds until a sensor that was refused for now tries again: what was on its way to it is there by then. */
const T_WAIT = 1500
/** Milliseconds after which a connection setup is begun anew. */
const SETUP = 1500
const KEEP_ALIVE = 60
/** seconds; so a casualty is missed after 3 s */
const SHORT_KEEP_ALIVE = 2
const SLEEP = 600
/** Of turns of a sleeper before which it gets another address. */
const MOVES = 0.1
/** Share of poison in what a sensor sends in a round with poison. */
const POISONED = 0.35

/** One sensor and all its lives; a casualty has many, the others one. */
export class Member {
  readonly role: Role
  readonly air: Air
  /** what it does now is something that a round has to wait for */
  busy = false
  readonly #site: Site
  #sensor: Sensor | undefined
  #life = 0
  #running = false

  constructor(role: Role, air: Air, site: Site) {
    this.role = role
    this.air = air
    this.#site = site
  }

  /** Connects and subscribes; a sleeper then goes to sleep. Rejects if that fails. */
  async begin(): Promise<void> {
    this.#life += 1
    const { name, cleanSession, casualty, sleeps } = this.role
    const sensor = new Sensor({
      gateway: this.#site.gateway,
      transport: this.air,
      clientId: name,
      cleanSession,
      predefined,
      keepAlive: casualty ? SHORT_KEEP_ALIVE : KEEP_ALIVE,
      tRetry: T_RETRY,
      nRetry: N_RETRY,
      will: { topic: `will/${name}`, message: String(this.#life), qos: 1 },
    })
    this.#sensor = sensor
    const topics = new TopicWatch()
    sensor.on('packet', (direction, packet) => {
      const before = topics.registersAgain
      const faults = direction === 'in' ? topics.fromGateway(packet) : topics.toGateway(packet)
      this.#site.tally.registersAgain += topics.registersAgain - before
      for (const what of faults) this.#fault(what)
    })
    sensor.on('message', (message) => this.#onMessage(message))
    sensor.on('disconnected', (why) => {
      if (why === 'gateway' && this.#mayBeLost) return
      this.#site.tally.sessionsLost += 1
      this.#fault(why === 'gateway' ? 'the gateway ended its connection' : 'the gateway answers no more')
    })
    this.#site.wills.begin(name, this.#life, 1000 * (casualty ? SHORT_KEEP_ALIVE : KEEP_ALIVE))
    await this.#connect(sensor)
    for (const { topic, qos } of this.role.subscribes) await sensor.subscribe(topic, qos)
    if (sleeps) await sensor.sleep(SLEEP)
  }

  /** One round: publishes, or wakes and sleeps, until `until` is aborted; with poison in between. Never rejects. */
  async live(round: number, until: AbortSignal, isPoisoned: boolean): Promise<void> {
    const random = seeded(this.#site.seed, round, this.role.name)
    const wandering = seeded(this.#site.seed, round, `${this.role.name} moves`)
    this.busy = true
    while (!until.aborted && !this.#site.ended.aborted) {
      if (this.#site.hasMoves && wandering() < MOVES) await this.#try(() => this.#move())
      const poisons = isPoisoned && random() < POISONED
      await this.#try(() => (poisons ? this.#poison(random) : this.#turn(random)))
      const time = this.role.sleeps ? between(random, 100, 400) : between(random, 20, 120)
      await pause(time, this.#site.ended)
    }
    this.busy = false
  }

  /** A sleeper fetches what waits for it, again and again, until `until` is aborted. Never rejects. */
  async fetch(until: AbortSignal): Promise<void> {
    const { sleeps, casualty } = this.role
    const speaks = this.#site.mustSpeak && !casualty
    while ((sleeps || speaks) && !until.aborted && !this.#site.ended.aborted) {
      await pause(sleeps ? 100 : 300, until)
      await this.#try(() => (sleeps ? this.#wake() : this.#ping()))
    }
  }

  /** One life of a casualty within a round, to its death, or its proper end. Never rejects. */
  async fall(round: number): Promise<void> {
    const { name } = this.role
    const { wills, ended } = this.#site
    if (!wills.isSettled(name, this.#life)) return
    const random = seeded(this.#site.seed, round, name)
    this.busy = true
    this.air.silent = false
    let isConnected = false
    await this.#try(async () => {
      await this.begin()
      isConnected = true
      const death = performance.now() + between(random, 100, 1500)
      while (performance.now() < death && !ended.aborted) {
        await this.#turn(random)
        await pause(between(random, 20, 120), ended)
      }
      if (random() < 0.3) await this.#sensor?.disconnect()
    })
    const isDead = this.#sensor?.state !== 'disconnected'
    wills.end(name, this.#life, isDead ? 'dead' : isConnected ? 'left' : 'refused')
    this.air.silent = true
    this.#sensor?.close()
    this.busy = false
  }

  /** Disconnects, and leaves no session behind if `clean`. Never rejects. */
  async leave(): Promise<void> {
    if (this.role.casualty) return this.air.shut()
    await this.#sensor?.end(2000)
    this.#site.wills.end(this.role.name, this.#life, 'left')
    this.air.shut()
  }

  /**
   * A gateway that is killed within a connection setup knows nothing of it, and [6.3] gives no answer to a WILLTOPIC or WILLMSG
   * out of the blue: the sensor begins again with CONNECT. No session is lost by that: there was none yet.
   */
  async #connect(sensor: Sensor, cleanSession = this.role.cleanSession): Promise<void> {
    for (let connected = false; !connected && !this.#site.ended.aborted; ) {
      const enough = new AbortController()
      const attempt = sensor.connect({ cleanSession }).then(() => true)
      connected = await Promise.race([attempt, pause(SETUP, enough.signal).then(() => false)])
      enough.abort()
      if (!connected) attempt.catch(() => {})
    }
  }

  /** What it says next has its ClientId in it, as it sleeps: PINGREQ, or CONNECT [6.14]. */
  async #move(): Promise<void> {
    if (this.#sensor?.state === 'asleep' && (await this.air.move())) this.#site.tally.moved += 1
  }

  async #turn(random: Random): Promise<void> {
    const { sleeps, publishes, qos } = this.role
    const [first, ...more] = publishes
    const [least, ...others] = qos
    if (sleeps) await this.#wake()
    if (first === undefined || least === undefined) return sleeps ? undefined : this.#ping()
    if (sleeps && random() < 0.6) return
    if (sleeps) await this.#sensor?.connect()
    await this.#publish(pick(random, [first, ...more]), pick(random, [least, ...others]))
    if (sleeps) await this.#sensor?.sleep(SLEEP)
  }

  /** What it was doing when a call failed may have left a sleeper active: it goes back to sleep first. */
  async #wake(): Promise<void> {
    const sensor = this.#sensor
    if (sensor === undefined) return
    if (sensor.state === 'active') await sensor.sleep(SLEEP)
    if (sensor.state === 'asleep') await sensor.wake()
  }

  async #ping(): Promise<void> {
    if (this.#site.mustSpeak && this.#sensor?.state === 'active') await this.#sensor.ping()
  }

  async #publish({ topic, name }: Role['publishes'][number], qos: 0 | 1 | 2): Promise<void> {
    const { up, tally, nextNumber } = this.#site
    const number = nextNumber()
    const label = { sender: this.role.name, topic: name, number }
    tally.published += 1
    up.send(label, 'witness', qos)
    await this.#sensor?.publish(topic, labelText(label), { qos })
    up.acknowledge(number, 'witness')
  }

  /** Sends what the broker does not take: the sensor is told so, or it becomes a dead letter; both are well. */
  async #poison(random: Random): Promise<void> {
    const { role } = this
    const poison = choosePoison(role, this.#site.nextNumber(), random)
    if (role.sleeps) {
      await this.#wake()
      await this.#sensor?.connect()
    }
    if (this.#sensor === undefined) return
    const fault = await sendPoison(this.#sensor, role, poison, this.#site)
    if (fault !== undefined) this.#fault(fault)
    if (role.sleeps) await this.#sensor?.sleep(SLEEP)
  }

  /** Performs one step; counts a refusal with congestion, connects again after a lost connection, reports anything else. */
  async #try(something: () => Promise<void>): Promise<void> {
    // A sensor does one thing at a time: what a round left unfinished goes on in the next.
    if (this.#running) return
    this.#running = true
    try {
      await something()
    } catch (error) {
      if (!(error instanceof SensorError)) throw error
      if (this.#site.ended.aborted || this.air.silent) return
      if (error.code === 'rejected' && error.returnCode === 1) this.#site.tally.refused += 1
      else if (error.code !== 'disconnected' || !this.#mayBeLost) this.#fault(error.message)
      await this.#connectAgain()
    } finally {
      this.#running = false
    }
  }

  get #mayBeLost(): boolean {
    return this.#site.wills.mayBeLost(this.role.name, this.#life)
  }

  /** Who was refused for now tries again, until it is connected. */
  async #connectAgain(): Promise<void> {
    const sensor = this.#sensor
    while (sensor?.state === 'disconnected' && !this.role.casualty && !this.#site.ended.aborted) {
      await pause(T_WAIT, this.#site.ended)
      await this.#connect(sensor, false).catch(() => {})
    }
  }

  #onMessage({ topic, payload }: ReceivedMessage): void {
    const { down, tally } = this.#site
    const { name, subscribes } = this.role
    tally.received += 1
    const label = parseLabel(Buffer.from(payload).toString())
    if (label === undefined) return this.#fault(`a message that nobody sent, on ${topic}`)
    if (label.topic !== topic) this.#fault(`message ${label.number} for ${label.topic} arrived on ${topic}`)
    const fits = subscribes.some((of) =>
      of.name.endsWith('+') ? topic.startsWith(of.name.slice(0, -1)) : of.name === topic,
    )
    if (!fits) this.#fault(`message on ${topic}, which it did not subscribe to`)
    const fault = down.arrive(label, name)
    if (fault !== undefined) this.#fault(fault)
  }

  #fault(what: string): void {
    this.#site.onFault(this.role.name, what)
  }
}
