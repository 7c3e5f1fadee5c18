// One sensor of the crowd: what it does again and again, and how long it waits for it.

import type { Packet } from '../../src/codec/v1/frame.ts'
import { pause } from '../../src/sensor/pause.ts'
import { Sensor, SensorError, type SensorTransport } from '../../src/sensor/sensor.ts'
import { labelText, parseLabel } from '../chaos/books.ts'
import type { Link } from '../chaos/link.ts'
import { between, seeded } from '../chaos/random.ts'
import type { CrowdSite } from './crowd.ts'
import type { WaitKind } from './waits.ts'

/** What it does: publishes at a QoS, sleeps and fetches what waits, listens and pings now and then, or connects again and again. */
export type CrowdRole = 'qos0' | 'qos1' | 'qos2' | 'sleeper' | 'listener' | 'newcomer'

/** Twenty in turn. */
const ROLES: readonly CrowdRole[] = [
  ...Array<CrowdRole>(8).fill('qos1'),
  ...Array<CrowdRole>(4).fill('qos2'),
  ...Array<CrowdRole>(3).fill('sleeper'),
  ...Array<CrowdRole>(2).fill('listener'),
  ...Array<CrowdRole>(2).fill('qos0'),
  'newcomer',
]
const QOS = { qos0: 0, qos1: 1, qos2: 2 } as const

/** Milliseconds between two things that it does, least and most; of a sleeper more. */
const [SHORTEST, LONGEST] = [1000, 3000]
const NAP = 1.5
/** Milliseconds until it tries again what was refused for now. */
const T_WAIT = 500
/** It never gives up: that would be another story. */
const N_RETRY = 1000
const KEEP_ALIVE = 120
const SLEEP = 600

/** Its messages go by this link as they are. */
function transportOf(link: Link): SensorTransport {
  const transport: SensorTransport = {
    onReceive: () => {},
    onError: () => {},
    send: (bytes) => link.send(bytes),
    close: () => {},
  }
  link.onMessage = (bytes) => transport.onReceive(bytes)
  link.onError = (error) => transport.onError(error)
  return transport
}

/** A message of this kind is the first of a request, which an answer with this name ends. */
function nameOfRequest(packet: Packet): string | undefined {
  switch (packet.type) {
    case 'publish':
      return packet.qos > 0 ? `publish ${packet.msgId}` : undefined
    case 'pubrel':
    case 'register':
    case 'subscribe':
      return `${packet.type} ${packet.msgId}`
    case 'connect':
    case 'pingreq':
    case 'disconnect':
      return packet.type
    default:
      return undefined
  }
}

function nameOfAnswered(packet: Packet): string | undefined {
  switch (packet.type) {
    case 'puback':
    case 'pubrec':
      return `publish ${packet.msgId}`
    case 'pubcomp':
      return `pubrel ${packet.msgId}`
    case 'regack':
      return `register ${packet.msgId}`
    case 'suback':
      return `subscribe ${packet.msgId}`
    case 'connack':
      return 'connect'
    case 'pingresp':
      return 'pingreq'
    case 'disconnect':
      return 'disconnect'
    default:
      return undefined
  }
}

const timeOfDay = (at: number): string => new Date(at).toISOString().slice(11, 23)

export class CrowdMember {
  readonly name: string
  readonly role: CrowdRole
  readonly #site: CrowdSite
  readonly #link: Link
  readonly #sensor: Sensor
  /** requests that were sent and have no answer, and when */
  readonly #asked = new Map<string, number>()
  /** an answer was thrown away since it asked last */
  #isStray = false
  #isReady = false

  constructor(index: number, site: CrowdSite) {
    this.name = `${site.prefix}${index}`
    this.role = ROLES[index % ROLES.length] ?? 'qos1'
    this.#site = site
    this.#link = site.linkOf(this.name, () => {
      this.#isStray = true
      site.waits.noteStray(this.name)
    })
    const mayVanish = this.role === 'newcomer'
    this.#sensor = new Sensor({
      transport: transportOf(this.#link),
      clientId: this.name,
      cleanSession: mayVanish || index % 3 !== 0,
      keepAlive: KEEP_ALIVE,
      tRetry: site.tRetry,
      nRetry: N_RETRY,
      ...(!mayVanish && { will: { topic: `will/${this.name}`, message: 'gone', qos: 1 } }),
    })
    this.#sensor.on('packet', (direction, packet) => {
      if (packet.type !== 'malformed') this.#note(direction, packet)
    })
    this.#sensor.on('message', ({ topic, payload }) => {
      const label = parseLabel(Buffer.from(payload).toString())
      const fault = label === undefined ? `nobody sent it on ${topic}` : site.down.arrive(label, this.name)
      if (fault !== undefined) site.onFault(`${this.name}: ${fault}`)
    })
    this.#sensor.on('disconnected', (why) => site.onFault(`${this.name}: its session is gone (${why})`))
  }

  /** the QoS of what it gets; undefined: it does not listen */
  get listensAt(): 1 | 2 | undefined {
    if (this.role !== 'sleeper' && this.role !== 'listener') return undefined
    return this.name.endsWith('5') ? 2 : 1
  }

  /** Connects and subscribes; a sleeper goes to sleep. */
  async begin(): Promise<void> {
    await this.#link.open()
    if (this.role === 'newcomer') return
    await this.#sensor.connect()
    const { listensAt } = this
    if (listensAt !== undefined) await this.#sensor.subscribe(`down/${this.name}`, listensAt)
    else await this.#sensor.register(this.#topic)
    if (this.role === 'sleeper') await this.#sensor.sleep(SLEEP)
    this.#isReady = true
  }

  /** Until the signal; never rejects. */
  async live(until: AbortSignal): Promise<void> {
    const random = seeded(this.#site.seed, this.name)
    const times = this.role === 'sleeper' ? NAP : 1
    while (!until.aborted) {
      await pause(times * between(random, SHORTEST, LONGEST), until)
      if (until.aborted) return
      if (this.role === 'qos0' || this.role === 'qos1' || this.role === 'qos2')
        await this.#publish(QOS[this.role], until)
      else if (this.role === 'sleeper') await this.#waitFor('wake', () => this.#sensor.wake(), until)
      else if (this.role === 'listener') await this.#waitFor('ping', () => this.#sensor.ping(), until)
      else {
        await this.#waitFor('connect', () => this.#sensor.connect(), until)
        await this.#insist(() => this.#sensor.disconnect(), until)
      }
    }
  }

  /** Closes the socket: nobody at the gateway is told. */
  close(): void {
    this.#sensor.close()
    this.#link.close()
  }

  get #topic(): string {
    return `up/${this.name}`
  }

  /** What was refused for now may arrive all the same, so that the next try is another message. */
  async #publish(qos: 0 | 1 | 2, until: AbortSignal): Promise<void> {
    const { up, waits, nextNumber, qos0, isSending } = this.#site
    if (!isSending()) return
    let number = 0
    const publish = async () => {
      number = nextNumber()
      const label = { sender: this.name, topic: this.#topic, number }
      up.send(label, 'witness', qos)
      if (qos === 0) qos0.set(number, waits.begin('qos0', this.name))
      await this.#sensor.publish(label.topic, labelText(label), { qos })
    }
    if (qos === 0) await this.#insist(publish, until)
    else if (await this.#waitFor(qos === 1 ? 'qos1' : 'qos2', publish, until))
      up.acknowledge(number, 'witness')
  }

  async #waitFor(kind: WaitKind, what: () => Promise<unknown>, until: AbortSignal): Promise<boolean> {
    const { waits } = this.#site
    const wait = waits.begin(kind, this.name)
    const isDone = await this.#insist(what, until)
    if (isDone) waits.end(wait)
    else waits.drop(wait)
    return isDone
  }

  /** Does it until it is done; false: there is no more time for it. */
  async #insist(what: () => Promise<unknown>, until: AbortSignal): Promise<boolean> {
    const { tally, onFault } = this.#site
    while (!until.aborted) {
      try {
        await what()
        return true
      } catch (error) {
        if (!(error instanceof SensorError)) throw error
        if (until.aborted) return false
        const isForNow = error.code === 'rejected' && error.returnCode === 1
        // a newcomer that begins anew may hear a late answer to what it said before
        if (isForNow || this.role === 'newcomer') tally.refused += 1
        else onFault(`${this.name}: ${error.message}`)
        await pause(T_WAIT, until)
        if (this.#sensor.state === 'disconnected' && this.role !== 'newcomer')
          await this.#sensor.connect({ cleanSession: false }).catch(() => {})
      }
    }
    return false
  }

  /** Requests that are sent again, and what a sensor need not say twice. */
  #note(direction: 'in' | 'out', packet: Packet): void {
    const { tally, onFault, onRepeated } = this.#site
    if (direction === 'in') {
      const answered = nameOfAnswered(packet)
      if (answered !== undefined) this.#asked.delete(answered)
      if (packet.type === 'publish' && packet.dup) tally.downRepeated += 1
      return
    }
    const asked = nameOfRequest(packet)
    if (asked === undefined) return
    const since = this.#asked.get(asked)
    if (since !== undefined) {
      tally.repeated += 1
      if (this.#isStray) tally.strayRepeated += 1
      else onRepeated(`${this.name}, ${this.role}: ${asked}, first asked at ${timeOfDay(since)}`)
    }
    this.#isStray = false
    if (since === undefined) this.#asked.set(asked, Date.now())
    const isAgain = packet.type === 'connect' || packet.type === 'register' || packet.type === 'subscribe'
    if (this.#isReady && isAgain) onFault(`${this.name}: it has to say ${packet.type.toUpperCase()} again`)
  }
}
