// Strangers in a chaos run: datagrams from nobody's sensor, which must not disturb those that behave. They come with ClientIds of
// other MQTT clients of the broker and of the gateway itself, publish at QoS -1 to odd topics, or send anything.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { pause } from '../../src/sensor/pause.ts'
import { between, pick, type Random, seeded } from './random.ts'

/** ClientId of the gateway's own connection to the broker. */
export const OWN = 'chaos-own'
/** ClientIds of other MQTT clients of the broker. */
export const [WITNESS, PUBLISHER] = ['chaos-witness', 'chaos-publisher'] as const

/** What a message of a stranger begins with, should it arrive. */
export const STRANGER = 'stranger '

/** Milliseconds between two datagrams. */
const PACE = 60

const CONNECT = 0x04
const PUBLISH = 0x0c
/** CleanSession; protocol; a keep-alive of 2 s, so that a stranger that was let in is soon missed */
const CONNECT_HEAD = [0x04, 0x01, 0x00, 0x02]
/** QoS -1; with the type of the topic id */
const [PREDEFINED, SHORT] = [0x61, 0x62]

const CLIENT_IDS = [
  OWN,
  WITNESS,
  PUBLISHER,
  '',
  'a\0b',
  '#',
  '$SYS',
  'x'.repeat(300),
  '\u0007',
  'é',
  `${OWN}-1`,
]
const ODD_TOPICS = ['a\0', '#a', '+/', '$S', 'a\n', '\x7f\x7f', '//', 'QQ', '\xc3\x28', '\xff\xfe'] as const

/** One message with its length in front. */
function frame(type: number, body: readonly number[]): Buffer {
  const length = body.length + 2
  return length < 256
    ? Buffer.from([length, type, ...body])
    : Buffer.from([0x01, (length + 2) >> 8, (length + 2) & 0xff, type, ...body])
}

const connectAs = (clientId: string): Buffer => frame(CONNECT, [...CONNECT_HEAD, ...Buffer.from(clientId)])

function publishUnasked(random: Random): Buffer {
  const payload = Buffer.from(STRANGER.padEnd(random() < 0.3 ? 800 : 20, 'x'))
  const isShort = random() < 0.7
  // No sensor has a predefined topic with an id above 1000.
  const id = Math.floor(between(random, 1001, 0x10000))
  const topic = isShort ? [...Buffer.from(pick(random, ODD_TOPICS), 'latin1')] : [id >> 8, id & 0xff]
  const retain = random() < 0.1 ? 0x10 : 0
  return frame(PUBLISH, [(isShort ? SHORT : PREDEFINED) | retain, ...topic, 0, 0, ...payload])
}

/** Octets of any kind: a type that is none or knows no connection, or a length that is wrong. */
function anything(random: Random): Buffer {
  const octets = Buffer.from(Array.from({ length: Math.floor(between(random, 1, 60)) }, () => random() * 256))
  if (random() < 0.5) octets[0] = octets.length
  return octets
}

/** The datagram that comes next. */
export function strangeDatagram(random: Random): Buffer {
  const draw = random()
  if (draw < 0.4) return connectAs(pick(random, [OWN, ...CLIENT_IDS]))
  return draw < 0.8 ? publishUnasked(random) : anything(random)
}

/** A few sockets of people who have no sensor here. */
export class Strangers {
  readonly #sockets: Socket[] = []

  /** Opens their sockets. */
  async open(): Promise<void> {
    for (let count = 0; count < 3; count += 1) {
      const socket = createSocket('udp4')
      socket.on('error', () => {}) // the gateway is away
      socket.bind(0, '127.0.0.1')
      await once(socket, 'listening')
      this.#sockets.push(socket)
    }
  }

  /** Sends to the gateway until `until` is aborted. */
  async disturb(seed: number, round: number, port: number, until: AbortSignal): Promise<void> {
    const random = seeded(seed, round, 'strangers')
    while (!until.aborted) {
      await pause(between(random, 0, 2 * PACE), until)
      const datagram = strangeDatagram(random)
      const socket = this.#sockets[Math.floor(random() * this.#sockets.length)]
      if (!until.aborted) socket?.send(datagram, port, '127.0.0.1')
    }
  }

  /** Closes their sockets. */
  shut(): void {
    for (const socket of this.#sockets.splice(0)) socket.close()
  }
}
