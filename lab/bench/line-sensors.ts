// Simulated sensors behind one serial line: nodes whose messages are encapsulated, as a forwarder would do it [5.5].

import { wrapMessage } from '../../src/codec/envelope.ts'
import { openLine } from '../../src/transport/line/line.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { type Endpoint, LightSensor } from './sensors.ts'

/** Length, MsgType, Ctrl, and a node id of two octets. */
const ENVELOPE = 5
const ANYWHERE = { address: 'the gateway', port: 0 }

/** The sensors' end of a line. */
export class LineOfSensors {
  readonly #sensors: LineSensor[] = []
  #line: Transport | undefined

  /** Opens it; see `readLineUrl`. */
  static async open(url: string): Promise<LineOfSensors> {
    const all = new LineOfSensors()
    // what waits here is the load's own doing, and not what is measured
    const pace = { messages: 10_000, octets: 1024 ** 2 }
    all.#line = await openLine({ url, pace }, (bytes) => {
      const number = ((bytes[3] ?? 0) << 8) | (bytes[4] ?? 0)
      all.#sensors[number]?.hear(
        Buffer.from(bytes.buffer, bytes.byteOffset + ENVELOPE, bytes.length - ENVELOPE),
      )
    })
    return all
  }

  /** One more sensor on it. */
  readonly make = (gateway: Endpoint): LightSensor => {
    const sensor = new LineSensor(gateway, this, this.#sensors.length)
    this.#sensors.push(sensor)
    return sensor
  }

  send(bytes: Uint8Array): void {
    this.#line?.send(bytes, ANYWHERE)
  }

  async close(): Promise<void> {
    await this.#line?.close()
  }
}

class LineSensor extends LightSensor {
  readonly #line: LineOfSensors
  readonly #nodeId: Uint8Array

  constructor(gateway: Endpoint, line: LineOfSensors, number: number) {
    super(gateway)
    this.#line = line
    this.#nodeId = Uint8Array.of(number >> 8, number & 0xff)
  }

  override async open(): Promise<void> {}

  override send(bytes: Uint8Array): void {
    const whole = new Uint8Array(ENVELOPE + bytes.length)
    whole.set(bytes, ENVELOPE)
    wrapMessage(whole, ENVELOPE, this.#nodeId, 0)
    this.#line.send(whole)
  }

  hear(bytes: Buffer): void {
    this.receive(bytes)
  }
}
