// One sender of a fuzz run: a UDP socket that keeps its books, and can answer the gateway as a sensor would.

import { createSocket, type Socket } from 'node:dgram'
import { decodeFrame, encodeFrame } from '../../src/codec/v1/frame.ts'
import type { Packet } from '../../src/codec/v1/messages.ts'

const LONGEST_TALK = 40
/** octets of a datagram in a report */
const LONGEST_SHOWN = 100

/** A bound socket that talks to the gateway only. */
export class Source {
  readonly key: string
  sentDatagrams = 0
  sentOctets = 0
  receivedDatagrams = 0
  receivedOctets = 0
  /** the gateway had a session for this address at some time, so that it may send unasked */
  connected = false
  /** what went to and fro, for reports; only the latest */
  readonly #talk: string[] = []
  /** what a well-behaved sensor would answer to what came last */
  answer: Uint8Array | undefined
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    const { address, port } = socket.address()
    this.key = `${address}:${port}`
    socket.on('message', (bytes) => {
      this.receivedDatagrams += 1
      this.receivedOctets += bytes.length
      this.#remember('<', bytes)
      const { packet, nodeId } = decodeFrame(bytes)
      const answer = packet.type === 'malformed' ? undefined : answerTo(packet)
      if (answer !== undefined) this.answer = encodeFrame(answer, nodeId)
    })
    socket.on('error', () => {}) // a refusal while the gateway stops
  }

  static async open(gatewayPort: number): Promise<Source> {
    const socket = createSocket('udp4')
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    await new Promise<void>((resolve) => socket.connect(gatewayPort, '127.0.0.1', resolve))
    return new Source(socket)
  }

  send(bytes: Uint8Array): void {
    this.sentDatagrams += 1
    this.sentOctets += bytes.length
    this.#remember('>', bytes)
    this.#socket.send(bytes)
  }

  /** One line per datagram: direction, octets, what it is. */
  talk(): string {
    return this.#talk.join('\n')
  }

  #remember(direction: string, bytes: Uint8Array): void {
    if (this.#talk.length >= LONGEST_TALK) this.#talk.shift()
    const { packet, nodeId } = decodeFrame(bytes)
    const shown = Buffer.from(bytes.subarray(0, LONGEST_SHOWN)).toString('hex')
    this.#talk.push(`${direction} ${shown} ${packet.type}${nodeId === undefined ? '' : ' of a node'}`)
  }

  close(): void {
    this.#socket.close()
  }
}

function answerTo(packet: Packet): Packet | undefined {
  switch (packet.type) {
    case 'willtopicreq':
      return { type: 'willtopic', qos: 1, retain: false, willTopic: 'fuzz/will' }
    case 'willmsgreq':
      return { type: 'willmsg', willMsg: Buffer.from('gone') }
    case 'register':
      return { type: 'regack', topicId: packet.topicId, msgId: packet.msgId, returnCode: 0 }
    case 'publish':
      if (packet.qos === 2) return { type: 'pubrec', msgId: packet.msgId }
      return { type: 'puback', topicId: packet.topicId, msgId: packet.msgId, returnCode: 0 }
    case 'pubrec':
      return { type: 'pubrel', msgId: packet.msgId }
    case 'pubrel':
      return { type: 'pubcomp', msgId: packet.msgId }
    default:
      return undefined
  }
}
