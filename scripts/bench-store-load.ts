// The load of bench:store, as cheap as Node allows: one UDP socket per sensor, frames that are made once, and an MQTT 3.1.1
// connection by hand. Everything is a closed loop: what arrives at its end lets the next message go.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { createConnection, type Socket as Stream } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { decode, encode, MsgType, type Packet } from '../src/codec/frame.ts'

/** Octets of payload; the first two are the number of the sensor. */
const PAYLOAD = 32
/** Milliseconds after which a request of the setup is repeated. */
const SETUP_RETRY = 2000
/** Milliseconds after which a message counts as lost and the next one goes. */
const STALLED = 1000
/** Sensors that are set up at the same time. */
const TOGETHER = 50
/** Messages to one sensor at once. */
const WINDOW = 2
const PUBLISH_HEADER = 7

/** What a run counts. */
export interface Load {
  /** messages that came to their end */
  readonly done: number
  /** messages that got lost, so that the loop had to be pushed on */
  readonly stalled: number
  close(): Promise<void>
}

/** One sensor: a socket and the frames that it sends again and again. */
class Light {
  readonly #socket: Socket = createSocket('udp4')
  readonly #gatewayPort: number
  onMessage: (bytes: Buffer) => void = () => {}

  constructor(gatewayPort: number) {
    this.#gatewayPort = gatewayPort
    this.#socket.on('message', (bytes) => this.onMessage(bytes))
    this.#socket.on('error', () => {})
  }

  /** A connected socket spares the look at the address with every datagram. */
  async open(): Promise<void> {
    this.#socket.connect(this.#gatewayPort, '127.0.0.1')
    await once(this.#socket, 'connect')
  }

  send(bytes: Uint8Array): void {
    this.#socket.send(bytes)
  }

  /** Sends a request until this kind of answer comes. */
  async ask<T extends Packet['type']>(request: Packet, type: T): Promise<Packet & { type: T }> {
    const bytes = encode(request)
    return new Promise((resolve) => {
      const timer = setInterval(() => this.send(bytes), SETUP_RETRY)
      this.onMessage = (answer) => {
        const packet = decode(answer)
        if (packet.type !== type) return
        clearInterval(timer)
        resolve(packet as Packet & { type: T })
      }
      this.send(bytes)
    })
  }

  close(): void {
    this.#socket.close()
  }
}

/** Sensors that are connected, and ready for `prepare`. */
async function connectSensors(
  gatewayPort: number,
  count: number,
  prepare: (sensor: Light, index: number) => Promise<void>,
): Promise<Light[]> {
  const sensors = Array.from({ length: count }, () => new Light(gatewayPort))
  for (let from = 0; from < count; from += TOGETHER) {
    await Promise.all(
      sensors.slice(from, from + TOGETHER).map(async (sensor, offset) => {
        await sensor.open()
        const clientId = `load${from + offset}`
        const packet = { will: false, cleanSession: false, protocolId: 1, duration: 600, clientId } as const
        const { returnCode } = await sensor.ask({ type: 'connect', ...packet }, 'connack')
        if (returnCode !== 0) throw new Error(`CONNACK ${returnCode}`)
        await prepare(sensor, from + offset)
      }),
    )
  }
  return sensors
}

/** Sensors publish at QoS 0 or 1, each its next message as soon as the last is acknowledged, or at QoS 0 at the broker. */
export async function startUplink(
  gatewayPort: number,
  brokerPort: number,
  count: number,
  qos: 0 | 1,
): Promise<Load> {
  const frames: Buffer[] = []
  let done = 0
  let stalled = 0
  let ended = false
  const sentAt = new Float64Array(count)
  const sensors = await connectSensors(gatewayPort, count, async (sensor, index) => {
    const topicName = `load/${index}`
    const { topicId } = await sensor.ask({ type: 'register', topicId: 0, msgId: 1, topicName }, 'regack')
    const data = new Uint8Array(PAYLOAD)
    data.set([index >> 8, index])
    const about = { dup: false, qos, retain: false, topicIdType: 'normal', topicId, msgId: qos } as const
    frames[index] = Buffer.from(encode({ type: 'publish', ...about, data }))
  })
  const next = (index: number) => {
    const frame = frames[index]
    if (ended || frame === undefined) return
    if (qos === 1) frame.writeUInt16BE((frame.readUInt16BE(5) % 0xffff) + 1, 5)
    sentAt[index] = performance.now()
    sensors[index]?.send(frame)
  }
  const advance = (index: number) => {
    done += 1
    next(index)
  }
  for (const [index, sensor] of sensors.entries()) {
    sensor.onMessage = (bytes) => {
      // PUBACK: length, type, topic id, MsgId, return code; an old one has another MsgId
      if (bytes[1] === MsgType.puback && bytes.readUInt16BE(4) === frames[index]?.readUInt16BE(5))
        advance(index)
    }
  }
  // At QoS 1 it only takes the messages off the broker's hands.
  const stream = await openMqtt(brokerPort, 'load-witness')
  stream.write(subscription('load/#'))
  readPublishes(stream, (payload) => {
    if (qos === 0) advance(payload.readUInt16BE(0))
  })
  await sleep(100)
  for (let index = 0; index < count; index += 1) next(index)
  const watch = setInterval(() => {
    for (let index = 0; index < count; index += 1) {
      if (performance.now() - (sentAt[index] ?? 0) < STALLED) continue
      stalled += 1
      next(index)
    }
  }, STALLED)
  return {
    get done() {
      return done
    },
    get stalled() {
      return stalled
    },
    async close() {
      ended = true
      clearInterval(watch)
      await sleep(200)
      for (const sensor of sensors) sensor.close()
      stream.destroy()
    },
  }
}

/** The broker gets messages of QoS 1 for the sensors, a new one for each that a sensor acknowledges. */
export async function startDownlink(gatewayPort: number, brokerPort: number, count: number): Promise<Load> {
  let done = 0
  let ended = false
  const sensors = await connectSensors(gatewayPort, count, async (sensor, index) => {
    const filter = { topicIdType: 'normal', topicName: `load/${index}` } as const
    await sensor.ask({ type: 'subscribe', dup: false, qos: 1, msgId: 1, ...filter }, 'suback')
  })
  const stream = await openMqtt(brokerPort, 'load-publisher')
  stream.resume()
  const messages = sensors.map((_, index) => publication(`load/${index}`, index))
  let packetId = 0
  const due: number[] = []
  let flushing = false
  /** What became due in one turn of the loop goes out in one write. */
  const flush = () => {
    flushing = false
    if (ended) return
    const batch = due.splice(0).map((index) => {
      const message = Buffer.from(messages[index] ?? [])
      packetId = (packetId % 0xffff) + 1
      message.writeUInt16BE(packetId, message.length - PAYLOAD - 2)
      return message
    })
    stream.write(Buffer.concat(batch))
  }
  const next = (index: number) => {
    due.push(index)
    if (!flushing) setImmediate(flush)
    flushing = true
  }
  for (const [index, sensor] of sensors.entries()) {
    const puback = Buffer.from(encode({ type: 'puback', topicId: 0, msgId: 0, returnCode: 0 }))
    let last = 0
    sensor.onMessage = (bytes) => {
      if (bytes[1] !== MsgType.publish) return
      bytes.copy(puback, 2, 3, PUBLISH_HEADER)
      sensor.send(puback)
      const msgId = bytes.readUInt16BE(5)
      if (msgId === last) return
      last = msgId
      done += 1
      next(index)
    }
  }
  for (let turn = 0; turn < WINDOW; turn += 1) for (let index = 0; index < count; index += 1) next(index)
  return {
    get done() {
      return done
    },
    stalled: 0,
    async close() {
      ended = true
      await sleep(200)
      for (const sensor of sensors) sensor.close()
      stream.destroy()
    },
  }
}

/** MQTT 3.1.1, clean session, no keep-alive. */
async function openMqtt(port: number, clientId: string): Promise<Stream> {
  const stream = createConnection(port, '127.0.0.1')
  stream.setNoDelay(true)
  await once(stream, 'connect')
  const id = Buffer.from(clientId)
  stream.write(
    Buffer.concat([Buffer.from([0x10, 12 + id.length]), text('MQTT'), Buffer.from([4, 2, 0, 0]), text(id)]),
  )
  const [connack] = await once(stream, 'data')
  if (connack[3] !== 0) throw new Error(`the broker refuses: ${connack[3]}`)
  return stream
}

function text(value: string | Buffer): Buffer {
  const octets = Buffer.from(value)
  return Buffer.concat([Buffer.from([octets.length >> 8, octets.length & 255]), octets])
}

/** SUBSCRIBE at QoS 0. */
function subscription(filter: string): Buffer {
  const body = Buffer.concat([Buffer.from([0, 1]), text(filter), Buffer.from([0])])
  return Buffer.concat([Buffer.from([0x82, body.length]), body])
}

/** PUBLISH of QoS 1 whose packet identifier stands right before the payload. */
function publication(topic: string, index: number): Buffer {
  const payload = Buffer.alloc(PAYLOAD)
  payload.writeUInt16BE(index, 0)
  const body = Buffer.concat([text(topic), Buffer.alloc(2), payload])
  return Buffer.concat([Buffer.from([0x32, body.length]), body])
}

/** Calls back with the payload of every PUBLISH of QoS 0; all packets here are shorter than 128 octets. */
function readPublishes(stream: Stream, onPayload: (payload: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  stream.on('data', (chunk: Buffer) => {
    const all = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    while (at + 2 <= all.length) {
      const end = at + 2 + (all[at + 1] ?? 0)
      if (end > all.length) break
      if (all[at] === 0x30) onPayload(all.subarray(end - PAYLOAD, end))
      at = end
    }
    rest = all.subarray(at)
  })
}
