// Simulated sensors as cheap as Node allows: one connected UDP socket each, and frames that are made once.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { decode, encode, MsgType, type Packet } from '../../src/codec/v1/frame.ts'

/** Milliseconds without an answer after which a sensor repeats its message (T_RETRY) [6.13]. */
export const T_RETRY = 2000
/** How often a request of the setup is sent before the run is given up. */
const TRIES = 15
/** Sensors that connect at the same time. */
export const TOGETHER = 50

/** Octets of every payload: the number of its sender or slot, a count, and the time it was sent. */
export const PAYLOAD = 32
/** Length, type, flags, topic id, MsgId. */
export const PUBLISH_HEADER = 7
const FLAGS = 2
const DISCONNECT = encode({ type: 'disconnect', duration: null })
const DUP = 0x80

/** Where something listens. */
export interface Endpoint {
  readonly host: string
  readonly port: number
}

/** One sensor. Whoever uses it takes what arrives by setting `onMessage`. */
export class LightSensor {
  readonly #socket: Socket
  readonly #gateway: Endpoint
  #isOpen = false
  onMessage: (bytes: Buffer) => void = () => {}

  constructor(gateway: Endpoint) {
    this.#gateway = gateway
    this.#socket = createSocket(gateway.host.includes(':') ? 'udp6' : 'udp4')
    this.#socket.on('message', (bytes) => this.receive(bytes))
    this.#socket.on('error', () => {}) // refused or unreachable: no answer comes, and that is what is counted
  }

  /** A connected socket spares the look at the address with every datagram. */
  async open(): Promise<void> {
    this.#socket.connect(this.#gateway.port, this.#gateway.host)
    await once(this.#socket, 'connect')
    this.#isOpen = true
  }

  send(bytes: Uint8Array): void {
    this.#socket.send(bytes)
  }

  /** A datagram as it is; what a sensor says may be another one on the wire. */
  protected transmit(bytes: Uint8Array): void {
    this.#socket.send(bytes)
  }

  protected receive(bytes: Buffer): void {
    this.onMessage(bytes)
  }

  /** Sends a request until this kind of answer comes. */
  ask<T extends Packet['type']>(request: Packet, type: T): Promise<Packet & { type: T }> {
    const bytes = encode(request)
    return new Promise((resolve, reject) => {
      let left = TRIES
      const timer = setInterval(() => {
        left -= 1
        if (left > 0) return this.send(bytes)
        clearInterval(timer)
        reject(new Error(`the gateway does not answer a ${request.type}`))
      }, T_RETRY)
      this.onMessage = (answer) => {
        const packet = decode(answer)
        if (packet.type !== type) return
        clearInterval(timer)
        resolve(packet as Packet & { type: T })
      }
      this.send(bytes)
    })
  }

  /** Leaves: a gateway that goes on running must not keep it for connected. */
  close(): void {
    this.onMessage = () => {}
    if (this.#isOpen) this.send(DISCONNECT)
    this.#socket.close()
  }
}

/** How sensors connect, and what each does before it is ready. */
export interface Setup {
  readonly cleanSession?: boolean
  /** first part of their ClientIds */
  readonly prefix?: string
  /** keep-alive in seconds */
  readonly keepAlive?: number
  /** called when all sockets are open, before the first CONNECT */
  readonly onOpen?: () => Promise<void>
  /** called with the milliseconds that CONNACK took */
  readonly onConnack?: (took: number) => void
  readonly prepare?: (sensor: LightSensor, index: number) => Promise<void>
  /** makes a sensor of another kind */
  readonly make?: ((gateway: Endpoint, clientId: string) => LightSensor) | undefined
}

/** Connects sensors, always so many at the same time; rejects if one is refused. */
export async function connectSensors(
  gateway: Endpoint,
  count: number,
  { cleanSession = true, prefix = 'load', keepAlive = 3600, onOpen, onConnack, prepare, make }: Setup,
): Promise<LightSensor[]> {
  const sensors = Array.from(
    { length: count },
    (_, index) => make?.(gateway, `${prefix}${index}`) ?? new LightSensor(gateway),
  )
  const queue = sensors.entries()
  const about = { will: false, cleanSession, protocolId: 1, duration: keepAlive } as const
  const work = async () => {
    for (const [index, sensor] of queue) {
      const begin = performance.now()
      const connack = await sensor.ask(
        { type: 'connect', ...about, clientId: `${prefix}${index}` },
        'connack',
      )
      if (connack.returnCode !== 0) throw new Error(`a sensor was refused: CONNACK ${connack.returnCode}`)
      onConnack?.(performance.now() - begin)
      await prepare?.(sensor, index)
    }
  }
  try {
    // sensors have their sockets already, and this process is not to be what is measured
    for (const sensor of sensors) await sensor.open()
    await onOpen?.()
    await Promise.all(Array.from({ length: Math.min(TOGETHER, count) }, work))
  } catch (error) {
    for (const sensor of sensors) sensor.close()
    throw error
  }
  return sensors
}

/** Sensors that have registered a topic each, and the PUBLISH that each sends again and again. */
export interface Fleet {
  readonly sensors: readonly LightSensor[]
  readonly frames: readonly Buffer[]
}

/** Connects sensors that will publish to `<prefix>/<number>`. */
export async function connectPublishers(
  gateway: Endpoint,
  count: number,
  qos: 0 | 1 | 2,
  { prefix = 'load', ...setup }: Setup = {},
): Promise<Fleet> {
  const frames: Buffer[] = []
  const sensors = await connectSensors(gateway, count, {
    ...setup,
    prefix,
    prepare: async (sensor, index) => {
      const topicName = `${prefix}/${index}`
      const { topicId } = await sensor.ask({ type: 'register', topicId: 0, msgId: 1, topicName }, 'regack')
      const about = { dup: false, qos, retain: false, topicIdType: 'normal', topicId, msgId: 0 } as const
      const frame = Buffer.from(encode({ type: 'publish', ...about, data: new Uint8Array(PAYLOAD) }))
      frame.writeUInt32BE(index, PUBLISH_HEADER)
      frames[index] = frame
    },
  })
  return { sensors, frames }
}

/** Makes the next message of a sensor out of its last: another count, the time, at QoS 1 and 2 another MsgId. */
export function renewMessage(frame: Buffer, now: number): void {
  frame[FLAGS] = (frame[FLAGS] ?? 0) & ~DUP
  frame.writeUInt32BE(frame.readUInt32BE(PUBLISH_HEADER + 4) + 1, PUBLISH_HEADER + 4)
  frame.writeDoubleBE(now, PUBLISH_HEADER + 8)
  if (frame[FLAGS] !== 0) frame.writeUInt16BE((frame.readUInt16BE(5) % 0xffff) + 1, 5)
}

/** A repetition says that it is one. */
export function markRepeated(frame: Buffer): void {
  frame[FLAGS] = (frame[FLAGS] ?? 0) | DUP
}

/** A message of just a MsgId: PUBREC, PUBREL, PUBCOMP. */
export function shortAnswer(type: 'pubrec' | 'pubrel' | 'pubcomp', msgId: number): Buffer {
  return Buffer.from([4, MsgType[type], msgId >> 8, msgId & 0xff])
}
