// A UDP socket that speaks MQTT-SN without any rules: plays a gateway towards a Sensor, or a bare sensor in octets.
// And a terminal for the commands that are built on Sensor.

import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { type Command, CommanderError } from 'commander'
import type { Terminal } from '../../src/cli/terminal/terminal.ts'
import { decodeFrame, encodeFrame } from '../../src/codec/v1/frame.ts'
import type { Malformed, Packet, PacketType } from '../../src/codec/v1/messages.ts'

/** One datagram that came in. */
export interface Heard {
  packet: Packet | Malformed
  nodeId: Uint8Array | undefined
  hex: string
  from: RemoteInfo
}

/** Answers to one packet. */
type Script = (packet: Packet, heard: Heard) => readonly Packet[]

/** One bound socket. It talks to `remote`, or else to whoever wrote to it last. */
export class UdpPeer {
  /** everything that came in, oldest first */
  readonly heard: Heard[] = []
  readonly url: string
  readonly port: number
  /** what it does with a packet; nothing by default */
  script: Script = () => []
  /** true loses this datagram on its way in: it is recorded but not answered */
  lose: (packet: Packet | Malformed) => boolean = () => false
  remote: { address: string; port: number } | undefined
  readonly #socket: Socket
  readonly #waiting = new Set<() => void>()
  #read = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    const { address, port, family } = socket.address()
    this.port = port
    this.url = family === 'IPv6' ? `udp://[${address}]:${port}` : `udp://${address}:${port}`
    socket.on('message', (bytes, from) => this.#onDatagram(bytes, from))
  }

  /** Opens a socket on the loopback interface. */
  static open(address = '127.0.0.1', port = 0): Promise<UdpPeer> {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    return new Promise((resolve, reject) => {
      socket.once('error', reject)
      socket.bind(port, address, () => resolve(new UdpPeer(socket)))
    })
  }

  /** Sends a packet, encapsulated if there is a node id, or octets given as hex. */
  send(data: Packet | string, nodeId?: Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'hex') : encodeFrame(data, nodeId)
    if (this.remote === undefined) throw new Error('nobody has written to this peer yet')
    this.#socket.send(bytes, this.remote.port, this.remote.address)
  }

  /** The next datagram not yet taken, of this type if one is named; others are skipped. */
  async next<T extends PacketType>(type: T, milliseconds?: number): Promise<Packet & { type: T }>
  async next(type?: undefined, milliseconds?: number): Promise<Packet | Malformed>
  async next(type?: PacketType, milliseconds = 5000): Promise<Packet | Malformed> {
    const deadline = performance.now() + milliseconds
    for (;;) {
      for (let heard = this.heard[this.#read]; heard !== undefined; heard = this.heard[this.#read]) {
        this.#read += 1
        if (type === undefined || heard.packet.type === type) return heard.packet
      }
      const left = deadline - performance.now()
      if (left <= 0)
        throw new Error(`no ${type ?? 'datagram'} within ${milliseconds} ms; heard ${this.types()}`)
      await this.#somethingNew(left)
    }
  }

  /** Types of all that came in, such as `connect publish publish`. */
  types(): string {
    return this.heard.map(({ packet }) => packet.type).join(' ')
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()))
  }

  #onDatagram(bytes: Uint8Array, from: RemoteInfo): void {
    const { packet, nodeId } = decodeFrame(bytes)
    const heard = { packet, nodeId, hex: Buffer.from(bytes).toString('hex'), from }
    this.heard.push(heard)
    this.remote = from
    if (packet.type !== 'malformed' && !this.lose(packet)) {
      for (const answer of this.script(packet, heard)) this.send(answer, nodeId)
    }
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }

  #somethingNew(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#waiting.add(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}

/** A script that accepts everything, as a gateway in good health. Topic ids count from 1; wildcards get 0. */
export function acceptingGateway(): Script {
  const ids = new Map<string, number>()
  const idOf = (name: string) => {
    const id = ids.get(name) ?? ids.size + 1
    ids.set(name, id)
    return id
  }
  return (packet) => {
    switch (packet.type) {
      case 'connect':
        return [packet.will ? { type: 'willtopicreq' } : { type: 'connack', returnCode: 0 }]
      case 'willtopic':
        return [packet.willTopic === null ? { type: 'connack', returnCode: 0 } : { type: 'willmsgreq' }]
      case 'willmsg':
        return [{ type: 'connack', returnCode: 0 }]
      case 'register': {
        const { msgId, topicName } = packet
        return [{ type: 'regack', topicId: idOf(topicName), msgId, returnCode: 0 }]
      }
      case 'publish': {
        const { msgId, topicId, qos } = packet
        if (qos === 1) return [{ type: 'puback', topicId, msgId, returnCode: 0 }]
        return qos === 2 ? [{ type: 'pubrec', msgId }] : []
      }
      case 'pubrel':
        return [{ type: 'pubcomp', msgId: packet.msgId }]
      case 'subscribe': {
        const { msgId, qos } = packet
        let topicId: number
        if (packet.topicIdType !== 'normal') topicId = packet.topicId
        else topicId = /[+#]/.test(packet.topicName) ? 0 : idOf(packet.topicName)
        return [{ type: 'suback', qos, topicId, msgId, returnCode: 0 }]
      }
      case 'unsubscribe':
        return [{ type: 'unsuback', msgId: packet.msgId }]
      case 'pingreq':
        return [{ type: 'pingresp' }]
      case 'disconnect':
        return [{ type: 'disconnect', duration: null }]
      case 'willtopicupd':
        return [{ type: 'willtopicresp', returnCode: 0 }]
      case 'willmsgupd':
        return [{ type: 'willmsgresp', returnCode: 0 }]
      case 'searchgw':
        return [{ type: 'gwinfo', gwId: 1, gwAdd: new Uint8Array() }]
      default:
        return []
    }
  }
}

/** A terminal that keeps what a command prints, and can be interrupted. */
export class FakeTerminal implements Terminal {
  readonly lines: string[] = []
  readonly errors: string[] = []
  code: number | undefined
  readonly #input: readonly string[]
  readonly #interruption = new AbortController()

  /** `input` are the pieces in which standard input arrives. */
  constructor(input: readonly string[] = []) {
    this.#input = input
  }

  get stdin(): AsyncIterable<Uint8Array> {
    const input = this.#input
    return (async function* () {
      for (const piece of input) yield Buffer.from(piece)
    })()
  }

  out(line: string): void {
    this.lines.push(line)
  }

  err(line: string): void {
    this.errors.push(line)
  }

  exit(code: number): void {
    this.code = code
  }

  interruption(): AbortSignal {
    return this.#interruption.signal
  }

  /** Ctrl-C */
  interrupt(): void {
    this.#interruption.abort()
  }

  /** Runs a command made for this terminal; usage errors become its exit code, as in a process. */
  async run(command: Command, ...args: string[]): Promise<number | undefined> {
    const quiet = (each: Command) => {
      each.configureOutput({
        writeErr: (text) => this.errors.push(text),
        writeOut: (text) => this.lines.push(text),
      })
      each.commands.forEach(quiet)
    }
    quiet(command)
    try {
      await command.parseAsync(args, { from: 'user' })
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error
      this.code = error.exitCode === 0 ? 0 : 2
    }
    return this.code
  }
}
