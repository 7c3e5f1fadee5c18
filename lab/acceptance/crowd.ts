// A thousand sensors of all kinds that speak to a cluster through its balancer, and what is written down of them: how long they wait,
// what was acknowledged, and what arrived.

import { setMaxListeners } from 'node:events'
import { pause } from '../../src/sensor/pause.ts'
import { type BrokerClient, openBrokerClient } from '../../src/simulation/swarm/broker-client.ts'
import { Books, labelText, parseLabel } from '../chaos/books.ts'
import type { Link } from '../chaos/link.ts'
import { pick, seeded } from '../chaos/random.ts'
import { CrowdMember } from './crowd-member.ts'
import { type Wait, Waits } from './waits.ts'

/** Milliseconds between two messages to sensors. */
const PACE = 10
/** Milliseconds in which everything that was acknowledged must have arrived. */
const PATIENCE = 20_000
/** Sensors that connect at the same time. */
const TOGETHER = 50

/** Counters of all sensors, since the last `mark`. */
export interface CrowdTally {
  /** requests of sensors that were sent again, as no answer came within T_RETRY */
  repeated: number
  /** those of them whose answers the balancer has thrown away */
  strayRepeated: number
  /** messages to sensors that were sent again */
  downRepeated: number
  /** requests that were answered "try later" */
  refused: number
}

/** What its sensors share. */
export interface CrowdSite {
  readonly prefix: string
  readonly seed: number
  /** milliseconds */
  readonly tRetry: number
  readonly waits: Waits
  readonly up: Books
  readonly down: Books
  readonly tally: CrowdTally
  /** QoS 0 messages that have not been seen at the broker, by their numbers */
  readonly qos0: Map<number, Wait>
  /** whether sensors still publish */
  isSending(): boolean
  nextNumber(): number
  /** `onStray`: an answer was thrown away, since its sensor does not speak to the node any more that it came from */
  linkOf(sensor: string, onStray: () => void): Link
  onFault(what: string): void
  /** a request was sent again, and its answer was not thrown away by the balancer */
  onRepeated(what: string): void
}

/** What a crowd is made of. */
export interface CrowdOptions extends Pick<CrowdSite, 'prefix' | 'seed' | 'tRetry' | 'linkOf'> {
  readonly sensors: number
  /** url of the broker */
  readonly broker: string
}

export class Crowd {
  readonly waits = new Waits()
  readonly up = new Books([])
  readonly down = new Books([])
  readonly tally: CrowdTally = { repeated: 0, strayRepeated: 0, downRepeated: 0, refused: 0 }
  /** what must not be, since the last `mark` */
  readonly faults: string[] = []
  /** requests that were sent again for no reason that the balancer gave, since the last `mark` */
  readonly repetitions: string[] = []
  readonly #options: CrowdOptions
  readonly #members: readonly CrowdMember[]
  readonly #qos0 = new Map<number, Wait>()
  readonly #over = new AbortController()
  /** sensors publish, and are sent messages */
  readonly #sending = new AbortController()
  readonly #clients: BrokerClient[] = []
  #lives: Promise<void>[] = []
  #numbers = 0

  constructor(options: CrowdOptions) {
    this.#options = options
    const { prefix, seed, tRetry, linkOf, sensors } = options
    const { waits, up, down, tally } = this
    const site: CrowdSite = {
      ...{ prefix, seed, tRetry, linkOf, waits, up, down, tally },
      isSending: () => !this.#sending.signal.aborted,
      qos0: this.#qos0,
      nextNumber: () => ++this.#numbers,
      onFault: (what) => void this.faults.push(what),
      onRepeated: (what) => void this.repetitions.push(what),
    }
    setMaxListeners(0, this.#over.signal)
    this.#members = Array.from({ length: sensors }, (_, index) => new CrowdMember(index, site))
  }

  /** Connects all; from then on they live. */
  async open(): Promise<void> {
    const { broker, prefix } = this.#options
    const client = async (name: string): Promise<BrokerClient> => {
      const opened = await openBrokerClient(broker, name, (what) => this.faults.push(`${name}: ${what}`))
      this.#clients.push(opened)
      return opened
    }
    const witness = await client(`${prefix}-witness`)
    await witness.listen('up/#', (_, payload) => this.#arrive(payload))
    const executor = await client(`${prefix}-executor`)
    await executor.listen('will/#', (topic) => this.faults.push(`the will of a living sensor: ${topic}`))
    const queue = this.#members.values()
    const work = async () => {
      for (const member of queue) await member.begin()
    }
    await Promise.all(Array.from({ length: TOGETHER }, work))
    this.#lives = this.#members.map((member) => member.live(this.#over.signal))
    this.#lives.push(this.#send(await client(`${prefix}-publisher`)))
  }

  /** Begins to count anew. */
  mark(): void {
    this.waits.mark()
    Object.assign(this.tally, { repeated: 0, strayRepeated: 0, downRepeated: 0, refused: 0 })
    this.faults.splice(0)
    this.repetitions.splice(0)
  }

  /** Sends nothing any more, and waits until everything that was acknowledged has arrived, but not for ever. */
  async finish(signal: AbortSignal): Promise<void> {
    this.#sending.abort()
    const deadline = performance.now() + PATIENCE
    while (this.up.missing + this.down.missing > 0 && performance.now() < deadline && !signal.aborted)
      await pause(50, signal)
    for (const books of [this.up, this.down]) this.faults.push(...books.writeOff())
  }

  async close(): Promise<void> {
    this.#sending.abort()
    this.#over.abort()
    for (const member of this.#members) member.close()
    await Promise.all(this.#lives)
    await Promise.all(this.#clients.map((client) => client.close().catch(() => {})))
  }

  #arrive(payload: string): void {
    const label = parseLabel(payload)
    if (label === undefined) return
    const wait = this.#qos0.get(label.number)
    if (wait !== undefined) {
      this.#qos0.delete(label.number)
      this.waits.end(wait)
    }
    const fault = this.up.arrive(label, 'witness')
    if (fault !== undefined) this.faults.push(`${label.sender}: ${fault}`)
  }

  /** Messages to those who listen. */
  async #send(publisher: BrokerClient): Promise<void> {
    const random = seeded(this.#options.seed, 'down')
    const [first, ...more] = this.#members.filter(({ listensAt }) => listensAt !== undefined)
    const { signal } = this.#sending
    let outstanding = 0
    while (first !== undefined && !signal.aborted) {
      await pause(PACE, signal)
      if (outstanding >= publisher.window || signal.aborted) continue
      const { name, listensAt: qos = 1 } = pick(random, [first, ...more])
      const label = { sender: 'publisher', topic: `down/${name}`, number: ++this.#numbers }
      this.down.send(label, name, qos)
      outstanding += 1
      publisher
        .publish(label.topic, labelText(label), qos)
        .then(() => this.down.acknowledge(label.number, name))
        .catch((error: unknown) => {
          if (!signal.aborted) this.faults.push(`publisher: ${String(error)}`)
        })
        .finally(() => {
          outstanding -= 1
        })
    }
  }
}
