// Load from the broker to sensors: a closed loop with a bounded number of messages under way.

import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { encode, MsgType } from '../../src/codec/v1/frame.ts'
import { Histogram } from './histogram.ts'
import { openMqtt, publication } from './mqtt.ts'
import {
  connectSensors,
  type Endpoint,
  type LightSensor,
  PAYLOAD,
  PUBLISH_HEADER,
  type Setup,
} from './sensors.ts'
import type { Load } from './uplink.ts'

/** Milliseconds after which a message counts as lost and another one takes its place; at QoS 1 the gateway repeats. */
const LOST_AFTER = [1000, 15_000] as const
const LOOK = 100

/** Connects sensors that subscribe to `<prefix>/<number>`. */
export function connectSubscribers(
  gateway: Endpoint,
  count: number,
  qos: 0 | 1,
  { prefix = 'load', ...setup }: Setup = {},
): Promise<LightSensor[]> {
  return connectSensors(gateway, count, {
    ...setup,
    prefix,
    prepare: async (sensor, index) => {
      const filter = { topicIdType: 'normal', topicName: `${prefix}/${index}` } as const
      const { returnCode } = await sensor.ask(
        { type: 'subscribe', dup: false, qos, msgId: 1, ...filter },
        'suback',
      )
      if (returnCode !== 0) throw new Error(`a sensor may not subscribe: SUBACK ${returnCode}`)
    },
  })
}

/** An MQTT client whose messages of one turn of the event loop go out in one write. */
export class Publisher {
  readonly #stream: Socket
  readonly #templates: readonly Buffer[]
  readonly #qos: 0 | 1
  #batch: Buffer[] = []
  #packetId = 0

  private constructor(stream: Socket, templates: readonly Buffer[], qos: 0 | 1) {
    this.#stream = stream.resume()
    this.#templates = templates
    this.#qos = qos
  }

  /** For topics `<prefix>/0` to `<prefix>/<count - 1>`. */
  static async open(broker: Endpoint, prefix: string, count: number, qos: 0 | 1): Promise<Publisher> {
    const stream = await openMqtt(broker, `publisher-${prefix}-${process.pid}`)
    const templates = Array.from({ length: count }, (_, index) => publication(`${prefix}/${index}`, qos))
    return new Publisher(stream, templates, qos)
  }

  /** `mark` and `number` come back in the payload, with the time. */
  publish(topic: number, mark: number, number: number, now: number): void {
    const message = Buffer.from(this.#templates[topic] ?? [])
    const payload = message.length - PAYLOAD
    message.writeUInt32BE(mark, payload)
    message.writeUInt32BE(number, payload + 4)
    message.writeDoubleBE(now, payload + 8)
    this.#packetId = (this.#packetId % 0xffff) + 1
    if (this.#qos === 1) message.writeUInt16BE(this.#packetId, payload - 2)
    if (this.#batch.push(message) === 1) setImmediate(() => this.#flush())
  }

  #flush(): void {
    const batch = this.#batch
    this.#batch = []
    if (!this.#stream.destroyed) this.#stream.write(Buffer.concat(batch))
  }

  close(): void {
    this.#stream.destroy()
  }
}

/** The gateway asks a sensor to show that it hears. */
const regackTo = (register: Buffer): Buffer =>
  Buffer.concat([Buffer.of(7, MsgType.regack), register.subarray(2, 6), Buffer.of(0)])

/** Makes a sensor answer messages of QoS 1, and tells of every message; `repeated`: with the DUP flag. */
export function listenForMessages(
  sensor: LightSensor,
  onPublish: (payload: Buffer, repeated: boolean) => void,
): void {
  const puback = Buffer.from(encode({ type: 'puback', topicId: 0, msgId: 0, returnCode: 0 }))
  sensor.onMessage = (bytes) => {
    if (bytes[1] === MsgType.register) return sensor.send(regackTo(bytes))
    if (bytes[1] !== MsgType.publish) return
    const flags = bytes[2] ?? 0
    if ((flags & 0x60) === 0x20) {
      bytes.copy(puback, 2, 3, PUBLISH_HEADER)
      sensor.send(puback)
    }
    onPublish(bytes.subarray(PUBLISH_HEADER), (flags & 0x80) !== 0)
  }
}

/** Messages go to the sensors in turn; for each one that arrives the next one goes, `outstanding` are under way. */
export async function loopDownlink(
  sensors: readonly LightSensor[],
  broker: Endpoint,
  qos: 0 | 1,
  outstanding: number,
  prefix = 'load',
): Promise<Load & { readonly lost: number }> {
  const publisher = await Publisher.open(broker, prefix, sensors.length, qos)
  const load = {
    sent: 0,
    done: 0,
    repeated: 0,
    refused: 0,
    arrived: 0,
    lost: 0,
    latency: new Histogram(),
    pause: () => {
      ended = true
      clearInterval(timer)
    },
    close: async () => {
      load.pause()
      await sleep(100)
      publisher.close()
    },
  }
  let ended = false
  let turn = 0
  /** what is under way in each slot: its count, and when it was sent */
  const numbers = new Uint32Array(outstanding)
  const sentAt = new Float64Array(outstanding)
  const next = (slot: number) => {
    if (ended) return
    const now = performance.now()
    const number = ((numbers[slot] ?? 0) + 1) >>> 0
    numbers[slot] = number
    sentAt[slot] = now
    load.sent += 1
    publisher.publish(turn, slot, number, now)
    turn = (turn + 1) % sensors.length
  }
  for (const sensor of sensors) {
    listenForMessages(sensor, (payload, repeated) => {
      if (repeated) load.repeated += 1
      const slot = payload.readUInt32BE(0)
      if (payload.readUInt32BE(4) !== numbers[slot]) return
      load.done += 1
      load.arrived += 1
      load.latency.add(performance.now() - payload.readDoubleBE(8))
      // the same message again has an old count from here on
      next(slot)
    })
  }
  for (let slot = 0; slot < outstanding; slot += 1) next(slot)
  const timer = setInterval(() => {
    const since = performance.now() - LOST_AFTER[qos]
    for (const [slot, at] of sentAt.entries()) {
      if (at > since) continue
      load.lost += 1
      next(slot)
    }
  }, LOOK)
  return load
}
