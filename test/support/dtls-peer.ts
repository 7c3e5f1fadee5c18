// A sensor behind DTLS: the core's own client on a real socket, which may change its port as a NAT does. It has no rules of its own.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { decodeFrame, encodeFrame } from '../../src/codec/v1/frame.ts'
import type { Malformed, Packet, PacketType } from '../../src/codec/v1/messages.ts'
import { DtlsClient } from '../../src/dtls/client/client.ts'
import type { ClientOptions, ClientResumption } from '../../src/dtls/client/options.ts'
import { systemChance } from '../../src/dtls/crypto/chance.ts'
import type { Effect, Remote, SessionInfo, Turn } from '../../src/dtls/effects.ts'

export type DtlsPeerOptions = Omit<ClientOptions, 'remote' | 'psk'> & {
  /** identity, and key in hex */
  readonly psk?: readonly [identity: string, key: string]
}

async function bind(address = '127.0.0.1'): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.bind(0, address)
  await once(socket, 'listening')
  return socket
}

export class DtlsPeer {
  readonly heard: { readonly packet: Packet | Malformed; readonly nodeId: Uint8Array | undefined }[] = []
  /** all that the client's core wanted */
  readonly effects: Effect[] = []
  /** sequence numbers of the protected records that came, without connection ids */
  readonly sequences: number[] = []
  /** datagrams that went out, as they were on the wire */
  readonly sent: Uint8Array[] = []
  /** records to the gateway are lost */
  isDeaf = false
  /** where the gateway is; what comes from elsewhere is thrown away, as behind an address translation */
  host: string
  /** datagrams that came from elsewhere */
  strays = 0
  readonly #core: DtlsClient
  #socket: Socket
  #port: number
  #timer: NodeJS.Timeout | undefined
  #wake: () => void = () => {}
  #read = 0

  private constructor(core: DtlsClient, socket: Socket, { address, port }: Remote) {
    this.#core = core
    this.#socket = socket
    this.#port = port
    this.host = address
    this.#listen()
  }

  /** Begins a handshake with the gateway at this url. */
  static async start(url: string, { psk, ...options }: DtlsPeerOptions): Promise<DtlsPeer> {
    const { port, hostname } = new URL(url.replace('dtls:', 'http:'))
    const key = psk && { identity: psk[0], key: Uint8Array.from(Buffer.from(psk[1], 'hex')) }
    const remote = { address: hostname, port: Number(port) }
    const peer = new DtlsPeer(
      new DtlsClient({ ...options, psk: key, remote }, systemChance),
      await bind(),
      remote,
    )
    peer.#do((turn) => peer.#core.start(turn))
    return peer
  }

  /** The same, and waits until the session is open. */
  static async open(url: string, options: DtlsPeerOptions): Promise<DtlsPeer> {
    const peer = await DtlsPeer.start(url, options)
    await peer.until(() => peer.effects.some(({ type }) => type === 'open'))
    return peer
  }

  /** What a later session may begin with. */
  get resumption(): ClientResumption | undefined {
    return this.#core.resumption
  }

  /** Of its session. */
  get info(): SessionInfo | undefined {
    return this.effects.flatMap((effect) => (effect.type === 'open' ? [effect.info] : []))[0]
  }

  get handshakes(): number {
    return this.effects.filter(({ type }) => type === 'open').length
  }

  get port(): number {
    return this.#socket.address().port
  }

  send(packet: Packet, nodeId?: Uint8Array): void {
    this.#do((turn) => void this.#core.send(encodeFrame(packet, nodeId), turn))
  }

  /** Sends octets as they are, such as what was recorded. */
  replay(bytes: Uint8Array): void {
    this.#socket.send(bytes, this.#port, this.host)
  }

  /** Ends its session by close_notify. */
  goodbye(): void {
    this.#do((turn) => this.#core.close('the test says so', turn))
  }

  /** The next message of this type; others are skipped. */
  async next<T extends PacketType>(type: T, milliseconds = 5000): Promise<Packet & { type: T }> {
    let found: Packet | Malformed | undefined
    await this.until(() => {
      while (found === undefined && this.#read < this.heard.length) {
        const { packet } = this.heard[this.#read++] ?? {}
        if (packet?.type === type) found = packet
      }
      return found !== undefined
    }, milliseconds)
    return found as Packet & { type: T }
  }

  /** The NAT in between gives it another port. */
  async move(address?: string): Promise<void> {
    const before = this.#socket
    this.#socket = await bind(address)
    this.#listen()
    before.close()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#socket.close()
  }

  async until(condition: () => boolean, milliseconds = 5000): Promise<void> {
    const deadline = performance.now() + milliseconds
    while (!condition()) {
      const left = deadline - performance.now()
      if (left <= 0) {
        const types = this.heard.map(({ packet }) => packet.type).join(' ')
        throw new Error(
          `not within ${milliseconds} ms; heard ${types}; ${this.effects.map((e) => e.type).join(' ')}`,
        )
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  #listen(): void {
    this.#socket.on('message', (bytes, from) => {
      if (from.address !== this.host) {
        this.strays += 1
        return
      }
      if (bytes.readUInt16BE(3) === 1) this.sequences.push(bytes.readUIntBE(5, 6))
      this.#do((turn) => this.#core.receive(bytes, turn))
    })
  }

  #do(step: (turn: Turn) => void): void {
    const turn: Turn = { now: performance.now(), wall: Date.now(), out: [] }
    step(turn)
    this.effects.push(...turn.out.filter(({ type }) => type !== 'send'))
    for (const effect of turn.out) {
      if (effect.type === 'send') this.sent.push(Uint8Array.from(effect.bytes))
      if (effect.type === 'send' && !this.isDeaf) this.#socket.send(effect.bytes, this.#port, this.host)
      if (effect.type === 'data') this.heard.push(decodeFrame(effect.bytes))
    }
    clearTimeout(this.#timer)
    const due = this.#core.due()
    if (due !== Number.POSITIVE_INFINITY) {
      const pause = Math.max(due - performance.now(), 0) + 1
      this.#timer = setTimeout(() => this.#do((later) => this.#core.tick(later)), pause).unref()
    }
    this.#wake()
  }
}
