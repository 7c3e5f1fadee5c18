// One sensor of a chaos run: what it does, and what it notices that must not be.

import type { Malformed, Packet } from '../../src/codec/v1/frame.ts'
import { pause } from '../../src/sensor/pause.ts'
import { type ReceivedMessage, Sensor, SensorError } from '../../src/sensor/sensor.ts'
import type { Air } from './air.ts'
import { type Books, labelText, parseLabel } from './books.ts'
import { between, pick, type Random, seeded } from './random.ts'
import { predefined, type Role } from './roles.ts'
import type { Wills } from './wills.ts'

/** What all members share. */
export interface Site {
  readonly seed: number
  readonly gateway: string
  readonly up: Books
  readonly down: Books
  readonly wills: Wills
  readonly tally: MemberTally
  /** numbers of uplink messages */
  readonly nextNumber: () => number
  readonly onFault: (sensor: string, what: string) => void
  /** ends all pauses */
  readonly ended: AbortSignal
}

/** Counters of all members together. */
export interface MemberTally {
  /** messages sent by sensors, QoS 0 included */
  published: number
  /** messages that arrived at sensors, repetitions included */
  received: number
  /** QoS 1 and 2 messages that the gateway refused for now: nothing was promised */
  refused: number
  /** connections that the gateway ended, or that ended for want of an answer */
  sessionsLost: number
  /** REGISTERs for a name that was registered already */
  registersAgain: number
}

const T_RETRY = 200
/** Patient enough for any restart: 20 s. */
const N_RETRY = 100
/** Milliseconds after which a connection setup is begun anew. */
const SETUP = 1500
const KEEP_ALIVE = 60
/** seconds; so a casualty is missed after 3 s */
const SHORT_KEEP_ALIVE = 2
const SLEEP = 600

/** One sensor and all its lives; a casualty has many, the others one. */
export class Member {
  readonly role: Role
  readonly air: Air
  /** what it does now is something that a round has to wait for */
  busy = false
  readonly #site: Site
  #sensor: Sensor | undefined
  #life = 0
  /** topic names by id, in this life */
  #names = new Map<number, string>()
  #ids = new Map<string, number>()
  /** MsgIds of requests whose answer carries a topic id */
  #asked = new Map<number, string>()
  #registered = new Map<string, number>()
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
    this.#names = new Map()
    this.#ids = new Map()
    this.#asked = new Map()
    this.#registered = new Map()
    sensor.on('packet', (direction, packet) => this.#onPacket(direction, packet))
    sensor.on('message', (message) => this.#onMessage(message))
    sensor.on('disconnected', (why) => {
      this.#site.tally.sessionsLost += 1
      this.#fault(why === 'gateway' ? 'the gateway ended its connection' : 'the gateway answers no more')
    })
    this.#site.wills.begin(name, this.#life)
    await this.#connect(sensor)
    for (const { topic, qos } of this.role.subscribes) await sensor.subscribe(topic, qos)
    if (sleeps) await sensor.sleep(SLEEP)
  }

  /** One round: publishes, or wakes and sleeps, until `until` is aborted. Never rejects. */
  async live(round: number, until: AbortSignal): Promise<void> {
    const random = seeded(this.#site.seed, round, this.role.name)
    this.busy = true
    while (!until.aborted && !this.#site.ended.aborted) {
      await this.#try(() => this.#turn(random))
      const time = this.role.sleeps ? between(random, 100, 400) : between(random, 20, 120)
      await pause(time, this.#site.ended)
    }
    this.busy = false
  }

  /** A sleeper fetches what waits for it, again and again, until `until` is aborted. Never rejects. */
  async fetch(until: AbortSignal): Promise<void> {
    while (this.role.sleeps && !until.aborted && !this.#site.ended.aborted) {
      await pause(100, until)
      await this.#try(() => this.#wake())
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
    await this.#try(async () => {
      await this.begin()
      const death = performance.now() + between(random, 100, 1500)
      while (performance.now() < death && !ended.aborted) {
        await this.#turn(random)
        await pause(between(random, 20, 120), ended)
      }
      if (random() < 0.3) await this.#sensor?.disconnect()
    })
    wills.end(name, this.#life, this.#sensor?.state === 'disconnected' ? 'left' : 'dead')
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

  async #turn(random: Random): Promise<void> {
    const { sleeps, publishes, qos } = this.role
    const [first, ...more] = publishes
    const [least, ...others] = qos
    if (sleeps) await this.#wake()
    if (first === undefined || least === undefined) return
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

  async #publish({ topic, name }: Role['publishes'][number], qos: 0 | 1 | 2): Promise<void> {
    const { up, tally, nextNumber } = this.#site
    const number = nextNumber()
    const label = { sender: this.role.name, topic: name, number }
    tally.published += 1
    up.send(label, 'witness', qos)
    await this.#sensor?.publish(topic, labelText(label), { qos })
    up.acknowledge(number, 'witness')
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
      else this.#fault(error.message)
      if (this.#sensor?.state === 'disconnected' && !this.role.casualty) {
        await this.#connect(this.#sensor, false).catch(() => {})
      }
    } finally {
      this.#running = false
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

  #onPacket(direction: 'in' | 'out', packet: Packet | Malformed): void {
    if (direction === 'in') {
      if (packet.type === 'malformed') this.#fault(`malformed datagram: ${packet.reason}`)
      else if (packet.type === 'register') this.#learn(packet.topicId, packet.topicName)
      else if ((packet.type === 'regack' || packet.type === 'suback') && packet.returnCode === 0) {
        const name = this.#asked.get(packet.msgId)
        if (name !== undefined && packet.topicId !== 0) this.#learn(packet.topicId, name)
      }
    } else if (packet.type === 'register') {
      this.#asked.set(packet.msgId, packet.topicName)
      const first = this.#registered.get(packet.topicName) ?? packet.msgId
      this.#registered.set(packet.topicName, first)
      if (first === packet.msgId) return
      this.#site.tally.registersAgain += 1
      this.#fault(`had to register ${packet.topicName} again`)
    } else if (packet.type === 'subscribe' && packet.topicIdType === 'normal') {
      this.#asked.set(packet.msgId, packet.topicName)
    } else if (packet.type === 'puback' && packet.returnCode !== 0) {
      this.#fault(`got a PUBLISH with topic id ${packet.topicId}, which it was never told`)
    }
  }

  /** An id of this life keeps its name, and a name its id. */
  #learn(topicId: number, name: string): void {
    const known = this.#names.get(topicId)
    if (known !== undefined && known !== name) this.#fault(`topic id ${topicId} was ${known}, now is ${name}`)
    const id = this.#ids.get(name)
    if (id !== undefined && id !== topicId) this.#fault(`${name} had topic id ${id}, now has ${topicId}`)
    this.#names.set(topicId, name)
    this.#ids.set(name, topicId)
  }

  #fault(what: string): void {
    this.#site.onFault(this.role.name, what)
  }
}
