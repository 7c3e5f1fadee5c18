// The lossy path between one sensor and the gateway: a link of its own, so that the gateway sees a distinct and stable
// address, which loses, repeats and delays datagrams in both directions as a seed and the number of the datagram say.

import { summarize } from '../../src/codec/v1/describe.ts'
import { decodeFrame, type Malformed, type Packet } from '../../src/codec/v1/frame.ts'
import type { SensorTransport } from '../../src/sensor/sensor.ts'
import type { Link } from './link.ts'
import { between, type Random, seeded } from './random.ts'
import { runningTime } from './running-time.ts'
import { SleepWatch } from './sleep.ts'

/** Shares of datagrams, 0 to 1, and the longest delay in milliseconds. */
export interface Weather {
  readonly loss: number
  readonly duplication: number
  readonly delay: number
  readonly longest: number
}

/** What became of all datagrams together. */
export interface AirTally {
  datagrams: number
  lost: number
  duplicated: number
  delayed: number
}

/** Where an Air leads to, and whom it tells. */
export interface AirOptions {
  readonly name: string
  readonly seed: number
  readonly link: Link
  readonly weather: Weather
  readonly tally: AirTally
  /** keeps the conversation, for `conversation()` */
  readonly record: boolean
  /** something was sent to the sensor that must not be */
  readonly onFault: (what: string) => void
}

type Direction = 'up' | 'down'
type AnyPacket = Packet | Malformed

const RECORDED = 4000

/** One sensor's path to the gateway, in the place of its UDP socket. It outlives the Sensors that use it. */
export class Air implements SensorTransport {
  onReceive: (bytes: Uint8Array) => void = () => {}
  onError: (error: Error) => void = () => {}
  /** nothing comes through: the sensor is dead */
  silent = false
  readonly #options: AirOptions
  readonly #random: Record<Direction, Random>
  readonly #delayed = new Set<NodeJS.Timeout>()
  readonly #released: Record<Direction, Set<number>> = { up: new Set(), down: new Set() }
  readonly #watch = new SleepWatch()
  readonly #lines: string[] = []
  #open = true

  constructor(options: AirOptions) {
    const { seed, name } = options
    this.#options = options
    this.#random = { up: seeded(seed, name, 'up'), down: seeded(seed, name, 'down') }
    options.link.onError = (error) => this.onError(error)
    options.link.onMessage = (bytes) => {
      if (this.silent) return
      const { packet } = decodeFrame(bytes)
      const fault = this.#watch.fromGateway(packet, runningTime())
      if (fault !== undefined) options.onFault(fault)
      this.#pass('down', bytes, packet)
    }
  }

  /** Binds the socket, and makes the session if there is to be one. */
  async open(): Promise<void> {
    await this.#options.link.open()
  }

  send(bytes: Uint8Array): void {
    if (!this.silent) this.#pass('up', bytes, decodeFrame(bytes).packet)
  }

  /** Another address, where the link has addresses; what is under way to the gateway goes lost. False where it has none. */
  async move(): Promise<boolean> {
    const { link } = this.#options
    if (link.move === undefined || !this.#open) return false
    for (const timer of this.#delayed) clearTimeout(timer)
    this.#delayed.clear()
    await link.move()
    return true
  }

  /** The Sensor lets go; the socket stays, for the next one with this address. */
  close(): void {
    this.onReceive = () => {}
  }

  /** Frees the socket. */
  shut(): void {
    if (!this.#open) return
    this.#open = false
    for (const timer of this.#delayed) clearTimeout(timer)
    this.#options.link.close()
  }

  /** What was sent and received, and what became of it, the oldest first. */
  conversation(): string {
    return this.#lines.join('\n')
  }

  /** Decides over one datagram. Always draws the same count of random numbers, so that its fate depends on its number only. */
  #pass(direction: Direction, bytes: Uint8Array, packet: AnyPacket): void {
    const { tally, weather } = this.#options
    const random = this.#random[direction]
    const [loss, duplication, delay] = [random(), random(), random()]
    const waits = [between(random, 1, weather.longest), between(random, 1, weather.longest)]
    const inTime = mustKeepOrder(packet)
    tally.datagrams += 1
    if (packet.type === 'pubrel') this.#released[direction].add(packet.msgId)
    else if (isQos2(packet) && !packet.dup) this.#released[direction].delete(packet.msgId)
    if (loss < weather.loss) {
      tally.lost += 1
      this.#note(direction, packet, 'LOST')
      return
    }
    const copies = duplication < weather.duplication ? 2 : 1
    if (copies === 2) tally.duplicated += 1
    for (let copy = 0; copy < copies; copy += 1) {
      const wait = inTime || (copy === 0 && delay >= weather.delay) ? 0 : (waits[copy] ?? 0)
      if (wait === 0) this.#hand(direction, bytes, packet, copy > 0 ? 'again' : '')
      else {
        tally.delayed += 1
        const timer = setTimeout(() => {
          this.#delayed.delete(timer)
          // MQTT-SN cannot tell a copy that comes after its PUBREL from a new message: such a copy is lost instead.
          const over = isQos2(packet) && this.#released[direction].has(packet.msgId)
          if (over) this.#note(direction, packet, 'LOST, its exchange is over')
          else if (!this.silent) this.#hand(direction, bytes, packet, `after ${Math.round(wait)} ms`)
        }, wait)
        this.#delayed.add(timer)
      }
    }
  }

  #hand(direction: Direction, bytes: Uint8Array, packet: AnyPacket, remark: string): void {
    this.#note(direction, packet, remark)
    if (direction === 'down') return this.onReceive(bytes)
    this.#watch.toGateway(packet, runningTime())
    this.#options.link.send(bytes)
  }

  #note(direction: Direction, packet: AnyPacket, remark: string): void {
    if (!this.#options.record) return
    const time = new Date().toISOString().slice(11, 23)
    this.#lines.push(`${time} ${direction === 'up' ? '->' : '<-'} ${summarize(packet)} ${remark}`.trimEnd())
    if (this.#lines.length > RECORDED) this.#lines.splice(0, RECORDED / 4)
  }
}

const isQos2 = (packet: AnyPacket): packet is Packet & { type: 'publish' } =>
  packet.type === 'publish' && packet.qos === 2

/**
 * What changes the state of a connection has neither MsgId nor any other mark of its age: an old copy of CONNECT or
 * DISCONNECT that comes late would undo what happened since, by the protocol's design. These are lost and doubled only.
 */
function mustKeepOrder(packet: AnyPacket): boolean {
  switch (packet.type) {
    case 'connect':
    case 'connack':
    case 'willtopicreq':
    case 'willtopic':
    case 'willmsgreq':
    case 'willmsg':
    case 'disconnect':
    case 'pingreq':
    case 'pingresp':
      return true
    default:
      return false
  }
}
