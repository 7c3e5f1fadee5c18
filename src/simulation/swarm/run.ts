// One run of a swarm: turns, reconnections, messages to sensors, summary lines, and the reckoning at the end.

import { pause } from '../../sensor/pause.ts'
import type { SimulationContext } from '../simulation.ts'
import { Account } from './account.ts'
import type { BrokerClient } from './broker-client.ts'
import { Member, type Swarm } from './member.ts'

/** One timer serves all members: each has its turn in one of the ticks of an interval. */
const TICK = 100
/** Milliseconds after which a promised message that has not arrived is reported as lost while the run goes on. */
const LATE = 15_000
/** Members that leave at the same time, and the milliseconds that all may take. */
const LEAVING = 50
const LEAVING_TIME = 30_000

/** Sizes and rates of a run. */
export interface SwarmSize {
  sensors: number
  /** connection attempts per second */
  rate: number
  /** messages per second to sensors */
  downlink: number
}

/** A swarm that lives as long as `tick` is called. */
export class SwarmRun {
  readonly #context: SimulationContext
  readonly #size: SwarmSize
  readonly #broker: BrokerClient | undefined
  readonly #swarm: Swarm
  readonly #members: Member[] = []
  readonly #connecting = new Set<Member>()
  readonly #startedAt = performance.now()
  #publishing = true
  #ticks = 0
  #connectCredit = 0
  #downlinkCredit = 0
  #downlinks = 0
  #outstanding = 0

  constructor(context: SimulationContext, size: SwarmSize, broker: BrokerClient | undefined) {
    this.#context = context
    this.#size = size
    this.#broker = broker
    this.#swarm = {
      run: context.sensorOptions.clientId,
      verify: broker !== undefined,
      sleep: Math.ceil((3 * context.interval) / 1000),
      tally: {
        published: { 'qos-1': 0, qos0: 0, qos1: 0, qos2: 0 },
        acknowledged: 0,
        unanswered: 0,
        received: 0,
        sessionsLost: 0,
      },
      reached: false,
      up: new Account(),
      down: new Account(),
      enqueue: (member) => this.#connecting.add(member),
    }
    for (let index = 0; index < size.sensors; index += 1) {
      const clientId = `${this.#swarm.run}-${index}`
      const psk = context.pskOf(clientId)
      const member = new Member(index, this.#swarm, {
        ...context.sensorOptions,
        ...(psk && { psk }),
        clientId,
      })
      this.#members.push(member)
      this.#connecting.add(member)
    }
  }

  /** Starts to listen at the broker. */
  async begin(): Promise<void> {
    await this.#broker?.listen(`swarm/${this.#swarm.run}/up/#`, (topic, payload) => {
      const [index, qos] = topic.split('/').slice(-2)
      if (qos !== '0') this.#swarm.up.arrive(Number(index), Number(payload), Number(qos))
    })
  }

  /** One step of time. */
  tick(): void {
    const slots = Math.max(1, Math.round(this.#context.interval / TICK))
    for (let index = this.#ticks % slots; index < this.#members.length; index += slots) {
      this.#members[index]?.turn(this.#publishing)
    }
    this.#ticks += 1
    this.#connectCredit = Math.min(this.#connectCredit + (this.#size.rate * TICK) / 1000, this.#size.rate)
    for (const member of this.#connecting) {
      if (this.#connectCredit < 1) break
      this.#connectCredit -= 1
      this.#connecting.delete(member)
      member.connect()
    }
    if (this.#publishing && this.#broker !== undefined) this.#sendDown(this.#broker)
  }

  /** Prints one line with the present counts. */
  report(): void {
    const { tally, up, down, verify } = this.#swarm
    const states = { active: 0, asleep: 0 }
    for (const { sensor } of this.#members) {
      if (sensor.state === 'active') states.active += 1
      else if (sensor.state === 'asleep' || sensor.state === 'awake') states.asleep += 1
    }
    const lost = up.missing(LATE) + down.missing(LATE)
    this.#note(
      `${Math.round((performance.now() - this.#startedAt) / 1000)} s: connected ${states.active}, ` +
        `asleep ${states.asleep}, published ${sum(tally.published)}, acknowledged ${tally.acknowledged}, ` +
        `unanswered ${tally.unanswered}, received ${tally.received}, ` +
        `${verify ? `lost ${lost}, ` : ''}sessions lost ${tally.sessionsLost}`,
    )
  }

  /** Publishes no more, but gives what is on its way so much time to arrive, sleepers included. */
  async settle(milliseconds: number): Promise<void> {
    this.#publishing = false
    const { up, down, verify } = this.#swarm
    const deadline = performance.now() + milliseconds
    const quiet = () =>
      this.#outstanding === 0 &&
      up.missing() + down.missing() === 0 &&
      this.#members.every(({ busy }) => !busy)
    while (verify && !quiet() && performance.now() < deadline) await pause(TICK)
  }

  /** Totals; throws Error if nobody got a connection, what was acknowledged is missing, or came twice at QoS 2. */
  conclude(): void {
    const { tally, up, down, verify } = this.#swarm
    const { published } = tally
    this.#note(
      `total: published ${sum(published)} (QoS -1 ${published['qos-1']}, QoS 0 ${published.qos0}, ` +
        `QoS 1 ${published.qos1}, QoS 2 ${published.qos2}), acknowledged ${tally.acknowledged}, ` +
        `unanswered ${tally.unanswered}, received ${tally.received}, sessions lost ${tally.sessionsLost}`,
    )
    if (!this.#swarm.reached && this.#members.length > 0)
      throw new Error(`no sensor got a connection: ${this.#swarm.why ?? 'no answer'}`)
    if (!verify) return
    const wrong: string[] = []
    for (const [name, account] of [
      ['to the broker', up],
      ['to the sensors', down],
    ] as const) {
      const lost = account.missing()
      const text =
        `${name}: acknowledged ${account.promises}, arrived ${account.arrivals}, ` +
        `acknowledged but not arrived ${lost}, QoS 2 duplicates ${account.duplicates}`
      this.#note(text)
      if (lost + account.duplicates > 0) wrong.push(`${text} ${account.examples().join(' ')}`.trim())
    }
    const repeated = this.#broker?.repeated ?? 0
    if (repeated > 0) this.#note(`QoS 2 messages that the broker repeated on its own: ${repeated}`)
    if (wrong.length > 0) throw new Error(wrong.join('; '))
  }

  /** Disconnects all members, and leaves no session behind at gateway and broker. */
  async leave(): Promise<void> {
    const waiting = [...this.#members]
    const all = new AbortController()
    const leaveOneByOne = async () => {
      for (let member = waiting.pop(); member !== undefined; member = waiting.pop()) await member.leave()
    }
    const gone = Promise.all(Array.from({ length: LEAVING }, leaveOneByOne)).then(() => all.abort())
    await Promise.race([gone, pause(LEAVING_TIME, all.signal)])
    for (const { sensor } of this.#members) sensor.close()
  }

  /** Messages for random members, whether they are awake or not; none while the broker is away. */
  #sendDown(broker: BrokerClient): void {
    this.#downlinkCredit += (this.#size.downlink * TICK) / 1000
    for (; this.#downlinkCredit >= 1; this.#downlinkCredit -= 1) {
      const member = this.#members[Math.floor(Math.random() * this.#members.length)]
      if (member === undefined || !member.subscribed || this.#outstanding >= broker.window) continue
      this.#downlinks += 1
      this.#outstanding += 1
      const { index } = member
      const number = this.#downlinks
      const qos = number % 2 === 0 ? 2 : 1
      broker
        .publish(`swarm/${this.#swarm.run}/down/${index}`, String(number), qos)
        .then(() => this.#swarm.down.promise(index, number))
        .catch((error: unknown) => this.#note(`broker: ${error instanceof Error ? error.message : error}`))
        .finally(() => {
          this.#outstanding -= 1
        })
    }
  }

  #note(text: string): void {
    this.#context.say({ sensor: this.#swarm.run, type: 'note', text })
  }
}

const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0)
