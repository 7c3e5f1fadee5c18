// DTLS in front of a gateway on plain UDP: the server half of the core, and a socket of its own towards the gateway for each session.
// And a NAT in front of it, whose outer port changes when a test says so.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { systemChance } from '../../src/dtls/crypto/chance.ts'
import type { Effect, Turn } from '../../src/dtls/effects.ts'
import type { ServerOptions } from '../../src/dtls/server/options.ts'
import { DtlsServer } from '../../src/dtls/server/server.ts'

async function bound(): Promise<{ socket: Socket; port: number }> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return { socket, port: socket.address().port }
}

/** `udp://127.0.0.1:1234` → 1234 */
const portOf = (url: string): number => Number(url.replace(/.*:/, ''))

export class DtlsRelay {
  readonly effects: Effect[] = []
  readonly url: string
  readonly port: number
  readonly #socket: Socket
  readonly #options: ServerOptions
  readonly #gatewayPort: number
  readonly #links = new Map<number, Socket>()
  #core: DtlsServer
  #timer: NodeJS.Timeout | undefined

  static async open(gatewayUrl: string, options: ServerOptions): Promise<DtlsRelay> {
    const { socket, port } = await bound()
    return new DtlsRelay(socket, port, portOf(gatewayUrl), options)
  }

  private constructor(socket: Socket, port: number, gatewayPort: number, options: ServerOptions) {
    this.#socket = socket
    this.port = port
    this.url = `dtls://127.0.0.1:${port}`
    this.#gatewayPort = gatewayPort
    this.#options = options
    this.#core = new DtlsServer(options, systemChance)
    socket.on('message', (bytes, from) => this.#do((turn) => this.#core.receive(bytes, from, turn)))
    socket.on('error', () => {})
  }

  of<T extends Effect['type']>(type: T): Extract<Effect, { type: T }>[] {
    return this.effects.filter((effect): effect is Extract<Effect, { type: T }> => effect.type === type)
  }

  /** Loses all sessions without a word, as a gateway that was killed and kept nothing. */
  forget(): void {
    for (const session of this.#links.keys()) this.#unlink(session)
    this.#core = new DtlsServer(this.#options, systemChance)
  }

  /** Ends all sessions with close_notify. */
  closeAll(): void {
    for (const session of [...this.#links.keys()])
      this.#do((turn) => this.#core.close(session, 'the test ends it', turn))
  }

  end(): void {
    clearTimeout(this.#timer)
    for (const session of [...this.#links.keys()]) this.#unlink(session)
    this.#socket.close()
  }

  #unlink(session: number): void {
    this.#links.get(session)?.close()
    this.#links.delete(session)
  }

  #linkOf(session: number): Socket {
    const known = this.#links.get(session)
    if (known !== undefined) return known
    const socket = createSocket('udp4')
    socket.on('message', (bytes) => this.#do((turn) => void this.#core.send(session, bytes, turn)))
    socket.on('error', () => {})
    this.#links.set(session, socket)
    return socket
  }

  #do(action: (turn: Turn) => void): void {
    const out: Effect[] = []
    action({ now: performance.now(), wall: Date.now(), out })
    this.effects.push(...out)
    for (const effect of out) {
      if (effect.type === 'send') this.#socket.send(effect.bytes, effect.to.port, effect.to.address)
      if (effect.type === 'open') this.#linkOf(effect.session)
      if (effect.type === 'data')
        this.#linkOf(effect.session).send(effect.bytes, this.#gatewayPort, '127.0.0.1')
      if (effect.type === 'closed') this.#unlink(effect.session)
    }
    clearTimeout(this.#timer)
    const due = this.#core.due()
    if (due === Number.POSITIVE_INFINITY) return
    this.#timer = setTimeout(
      () => this.#do((turn) => this.#core.tick(turn)),
      Math.min(Math.max(due - performance.now(), 1), 1000),
    )
  }
}

/** Forwards datagrams from ports that change, one for each socket behind it. */
export class Nat {
  readonly url: string
  readonly #inner: Socket
  /** by the port of who is behind it */
  readonly #outers = new Map<number, Socket>()
  readonly #port: number
  #isBlocked = false

  static async open(gatewayUrl: string): Promise<Nat> {
    const { socket, port } = await bound()
    return new Nat(socket, port, gatewayUrl)
  }

  private constructor(inner: Socket, port: number, gatewayUrl: string) {
    this.#inner = inner
    this.#port = portOf(gatewayUrl)
    this.url = `${gatewayUrl.replace(/:.*/, '')}://127.0.0.1:${port}`
    inner.on('error', () => {})
    inner.on('message', (bytes, from) => {
      if (!this.#isBlocked) this.#outerOf(from.port).send(bytes, this.#port, '127.0.0.1')
    })
  }

  /** The next datagrams leave from other ports; what comes to the old ones is lost. */
  rebind(): void {
    for (const outer of this.#outers.values()) outer.close()
    this.#outers.clear()
  }

  /** Loses everything both ways for as long as that is so. */
  block(isBlocked: boolean): void {
    this.#isBlocked = isBlocked
  }

  end(): void {
    this.rebind()
    this.#inner.close()
  }

  #outerOf(port: number): Socket {
    const known = this.#outers.get(port)
    if (known !== undefined) return known
    const outer = createSocket('udp4')
    this.#outers.set(port, outer)
    outer.on('error', () => {})
    outer.on('message', (bytes) => {
      if (!this.#isBlocked) this.#inner.send(bytes, port, '127.0.0.1')
    })
    return outer
  }
}
