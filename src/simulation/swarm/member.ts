// One sensor of a swarm: what it does when its turn comes, and what it counts.

import { Sensor, type SensorOptions } from '../../sensor/sensor.ts'
import type { Account } from './account.ts'

/** How a member behaves: its QoS, or asleep most of the time. */
export type Role = 'qos0' | 'qos1' | 'qos2' | 'sleeper' | 'button'

const QOS = { qos0: 0, qos1: 1, qos2: 2 } as const

/** Counters of all members together. */
export interface Tally {
  published: Record<'qos-1' | 'qos0' | 'qos1' | 'qos2', number>
  acknowledged: number
  /** QoS 1 and 2 messages without a complete answer: the gateway has not acknowledged them */
  unanswered: number
  received: number
  sessionsLost: number
}

/** What the members of one swarm share. */
export interface Swarm {
  readonly run: string
  /** wait for messages and publish persistently, so that the books can be checked */
  readonly verify: boolean
  /** seconds of sleep to announce */
  readonly sleep: number
  readonly tally: Tally
  /** some member had a connection */
  reached: boolean
  /** why the first attempt that failed did */
  why?: string
  readonly up: Account
  readonly down: Account
  /** puts a member into the queue of those that want to connect */
  readonly enqueue: (member: Member) => void
}

/** Twenty members in turn: 8 with QoS 0, 5 with QoS 1, 3 with QoS 2, 3 sleepers, 1 button. */
function roleOf(index: number): Role {
  const place = index % 20
  if (place < 8) return 'qos0'
  if (place < 13) return 'qos1'
  if (place < 16) return 'qos2'
  return place < 19 ? 'sleeper' : 'button'
}

/** One sensor of the swarm. */
export class Member {
  readonly index: number
  readonly role: Role
  readonly sensor: Sensor
  /** its subscription is known to the gateway, so messages for it may be sent */
  subscribed = false
  readonly #swarm: Swarm
  /** something of it is unfinished */
  #busy = false
  #count = 0
  #wakes = 0

  constructor(index: number, swarm: Swarm, options: SensorOptions) {
    this.index = index
    this.role = roleOf(index)
    this.#swarm = swarm
    this.sensor = new Sensor({ ...options, cleanSession: !swarm.verify })
    this.sensor.on('disconnected', () => {
      swarm.tally.sessionsLost += 1
      swarm.enqueue(this)
    })
    this.sensor.on('message', ({ payload, qos }) => {
      swarm.tally.received += 1
      swarm.down.arrive(index, Number(Buffer.from(payload).toString()), qos)
    })
  }

  get busy(): boolean {
    return this.#busy
  }

  /** Connects and subscribes; on failure its turn comes again later. */
  async connect(): Promise<void> {
    if (this.role === 'button') return
    if (this.#busy) return this.#swarm.enqueue(this)
    this.#busy = true
    try {
      await this.sensor.connect()
      this.#swarm.reached = true
      if (this.#swarm.verify && !this.subscribed) {
        await this.sensor.subscribe(`swarm/${this.#swarm.run}/down/${this.index}`, 2)
        this.subscribed = true
      }
      if (this.role === 'sleeper') await this.sensor.sleep(this.#swarm.sleep)
    } catch (error) {
      this.#swarm.why ??= error instanceof Error ? error.message : String(error)
      this.#swarm.enqueue(this)
    } finally {
      this.#busy = false
    }
  }

  /** Its turn: publishes, or wakes. With `publishing` false it only fetches what waits for it. */
  async turn(publishing: boolean): Promise<void> {
    const { state } = this.sensor
    const ready = this.role === 'button' || state === 'active' || state === 'asleep'
    if (this.#busy || !ready) return
    this.#busy = true
    try {
      if (state === 'asleep') await this.#wake(publishing)
      else if (this.role === 'sleeper') await this.sensor.sleep(this.#swarm.sleep)
      else if (publishing) await this.#publish(this.role)
    } catch {
      // Failures are counted where they happen; a member without connection connects again.
      if (this.sensor.state === 'disconnected') this.#swarm.enqueue(this)
    } finally {
      this.#busy = false
    }
  }

  /** Disconnects; a persistent session is cleaned away first. Never rejects. */
  async leave(): Promise<void> {
    if (this.#swarm.verify && this.role !== 'button') {
      await this.sensor.connect({ cleanSession: true }).catch(() => {})
    }
    await this.sensor.end()
  }

  async #wake(publishing: boolean): Promise<void> {
    const { sensor } = this
    await sensor.wake()
    this.#wakes += 1
    // Two of three times it only fetches; the third time it becomes active and publishes.
    if (!publishing || this.#wakes % 3 !== 0) return
    await sensor.connect()
    await this.#publishAt(1)
    await sensor.sleep(this.#swarm.sleep)
  }

  async #publish(role: Exclude<Role, 'sleeper'>): Promise<void> {
    const { tally } = this.#swarm
    if (role === 'button') {
      await this.sensor.publish({ short: 'sw' }, 'pressed', { qos: -1 })
      tally.published['qos-1'] += 1
    } else await this.#publishAt(QOS[role])
  }

  async #publishAt(qos: 0 | 1 | 2): Promise<void> {
    const { run, tally, up, verify } = this.#swarm
    this.#count += 1
    const message = this.#count
    tally.published[`qos${qos}`] += 1
    try {
      await this.sensor.publish(`swarm/${run}/up/${this.index}/${qos}`, String(message), { qos })
    } catch (error) {
      if (qos > 0) tally.unanswered += 1
      throw error
    }
    if (qos === 0) return
    tally.acknowledged += 1
    if (verify) up.promise(this.index, message)
  }
}
