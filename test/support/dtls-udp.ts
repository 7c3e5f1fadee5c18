// The DTLS core on a UDP socket on loopback, for tests with other implementations: as little as carries datagrams and time.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { DtlsClient } from '../../src/dtls/client/client.ts'
import type { ClientOptions } from '../../src/dtls/client/options.ts'
import { systemChance } from '../../src/dtls/crypto/chance.ts'
import type { Effect, Remote, Turn } from '../../src/dtls/effects.ts'
import type { ServerOptions } from '../../src/dtls/server/options.ts'
import { DtlsServer } from '../../src/dtls/server/server.ts'

export type EffectOf<T extends Effect['type']> = Extract<Effect, { type: T }>

async function bind(): Promise<{ socket: Socket; port: number }> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return { socket, port: socket.address().port }
}

/** An effect in a few words, for errors. */
const told = (effect: Effect): string =>
  effect.type === 'send'
    ? `send (${effect.bytes.length})`
    : 'why' in effect
      ? `${effect.type}: ${effect.why}`
      : effect.type

/** What both ends have: effects so far, and waiting for one. */
class Endpoint {
  readonly effects: Effect[] = []
  protected readonly socket: Socket
  #timer: NodeJS.Timeout | undefined
  #waiting: (() => void)[] = []

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('error', () => undefined)
  }

  of<T extends Effect['type']>(type: T): EffectOf<T>[] {
    return this.effects.filter((effect): effect is EffectOf<T> => effect.type === type)
  }

  /** The first effect of this type, which may be there already. */
  async next<T extends Effect['type']>(type: T, patience = 15_000): Promise<EffectOf<T>> {
    const deadline = performance.now() + patience
    for (;;) {
      const [found] = this.of(type)
      if (found !== undefined) return found
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`no ${type} came, but ${this.effects.map(told).join(', ')}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  protected perform(action: (turn: Turn) => void, due: () => number, tick: (turn: Turn) => void): Effect[] {
    const out: Effect[] = []
    action({ now: performance.now(), wall: Date.now(), out })
    this.effects.push(...out)
    for (const effect of out) {
      if (effect.type === 'send') this.socket.send(effect.bytes, effect.to.port, effect.to.address)
    }
    clearTimeout(this.#timer)
    const at = due()
    if (at !== Number.POSITIVE_INFINITY) {
      this.#timer = setTimeout(() => this.perform(tick, due, tick), Math.max(at - performance.now(), 1))
      this.#timer.unref()
    }
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
    return out
  }

  end(): void {
    clearTimeout(this.#timer)
    this.socket.close()
  }
}

/** A server that answers every message with the same. */
export class UdpEchoServer extends Endpoint {
  readonly core: DtlsServer
  readonly port: number

  static async open(options: ServerOptions): Promise<UdpEchoServer> {
    const { socket, port } = await bind()
    return new UdpEchoServer(socket, port, options)
  }

  constructor(socket: Socket, port: number, options: ServerOptions) {
    super(socket)
    this.port = port
    this.core = new DtlsServer(options, systemChance)
    socket.on('message', (bytes, from) => this.#receive(bytes, from))
  }

  #receive(bytes: Uint8Array, from: Remote): void {
    const out = this.do((turn) => this.core.receive(bytes, from, turn))
    for (const effect of out) {
      if (effect.type === 'data') this.do((turn) => void this.core.send(effect.session, effect.bytes, turn))
    }
  }

  do(action: (turn: Turn) => void): Effect[] {
    return this.perform(
      action,
      () => this.core.due(),
      (turn) => this.core.tick(turn),
    )
  }
}

export class UdpClient extends Endpoint {
  readonly core: DtlsClient

  static async connect(port: number, options: Omit<ClientOptions, 'remote'>): Promise<UdpClient> {
    const { socket } = await bind()
    const client = new UdpClient(socket, { ...options, remote: { address: '127.0.0.1', port } })
    client.do((turn) => client.core.start(turn))
    return client
  }

  constructor(socket: Socket, options: ClientOptions) {
    super(socket)
    this.core = new DtlsClient(options, systemChance)
    socket.on('message', (bytes) => this.do((turn) => this.core.receive(bytes, turn)))
  }

  do(action: (turn: Turn) => void): Effect[] {
    return this.perform(
      action,
      () => this.core.due(),
      (turn) => this.core.tick(turn),
    )
  }

  say(text: string): void {
    this.do((turn) => void this.core.send(Buffer.from(text), turn))
  }
}
