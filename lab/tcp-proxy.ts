// A way over TCP that can be cut: it carries what connections say, refuses them, or is silent as a network that carries nothing any more.

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** What it does with connections. */
export type ProxyMode = 'open' | 'refused' | 'silent'

/** One connection that goes through it. */
interface Passage {
  readonly near: Socket
  readonly far: Socket
}

/** In front of one port on loopback, at a port of its own. */
export class TcpProxy {
  readonly port: number
  readonly #to: number
  readonly #passages = new Set<Passage>()
  /** came while it was silent: they are carried on when it is open again, as packets that are sent again */
  readonly #waiting = new Set<Socket>()
  #server: Server | undefined
  #mode: ProxyMode = 'open'

  private constructor(port: number, to: number) {
    this.port = port
    this.#to = to
  }

  /** `port`: a free one, for this; `to`: where it leads. */
  static async open(port: number, to: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(port, to)
    await proxy.#listen()
    return proxy
  }

  get mode(): ProxyMode {
    return this.#mode
  }

  /** refused: all connections are cut, and new ones are refused; silent: they stay, and nothing comes through until it is open again. */
  async set(mode: ProxyMode): Promise<void> {
    this.#mode = mode
    if (mode === 'refused') return this.#unlisten()
    if (this.#server === undefined) await this.#listen()
    for (const { near, far } of this.#passages) {
      if (mode === 'open') for (const socket of [near, far]) socket.resume()
      else for (const socket of [near, far]) socket.pause()
    }
    if (mode === 'silent') return
    for (const { near, far } of [...this.#passages])
      if (near.destroyed || far.destroyed) this.#end({ near, far })
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const socket of waiting) if (!socket.destroyed) this.#carry(socket)
  }

  /** Ends all connections. */
  close(): Promise<void> {
    return this.set('refused')
  }

  async #listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (near) => {
      near.on('error', () => {})
      if (this.#mode === 'open') return this.#carry(near)
      this.#waiting.add(near)
      near.once('close', () => this.#waiting.delete(near))
    })
    this.#server = server
    server.unref()
    server.listen(this.port, '127.0.0.1')
    await once(server, 'listening')
  }

  async #unlisten(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const { near, far } of this.#passages) {
      near.resetAndDestroy()
      far.destroy()
    }
    this.#passages.clear()
    for (const near of this.#waiting) near.resetAndDestroy()
    this.#waiting.clear()
    if (server === undefined) return
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
    })
  }

  #carry(near: Socket): void {
    const far = connect({ port: this.#to, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    const passage = { near, far }
    this.#passages.add(passage)
    near.setNoDelay(true)
    far.on('error', () => {})
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk: Buffer) => to.write(chunk))
      from.on('end', () => to.end())
      // who is cut off does not hear that the other end is gone
      from.on('close', () => {
        if (this.#mode !== 'silent') this.#end(passage)
      })
    }
    near.resume()
  }

  #end(passage: Passage): void {
    for (const socket of [passage.near, passage.far]) socket.destroy()
    this.#passages.delete(passage)
  }
}
