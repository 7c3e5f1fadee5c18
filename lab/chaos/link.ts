// What carries the datagrams that come through the air: a UDP socket, or a session of DTLS on one.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { openDtls } from '../../src/sensor/dtls.ts'
import type { SensorTransport } from '../../src/sensor/sensor.ts'

/** One sensor's link to the gateway, whose own address stays until it is moved. */
export interface Link {
  onMessage: (bytes: Uint8Array) => void
  onError: (error: Error) => void
  open(): Promise<void>
  send(bytes: Uint8Array): void
  close(): void
  /** from another address from now on; undefined where there is none */
  move?(): Promise<void>
}

/** Where a gateway listens on loopback: 127.0.0.1 unless there is another address. */
export interface Spot {
  readonly port: number
  readonly address?: string
}

const LOOPBACK = '127.0.0.1'
const NOWHERE: Spot = { port: 0 }

/** Plain UDP. */
export class PlainLink implements Link {
  onMessage: (bytes: Uint8Array) => void = () => {}
  onError: (error: Error) => void = () => {}
  readonly #spot: (moves: number) => Spot | undefined
  readonly #onStray: () => void
  #socket: Socket
  #moves = 0
  #isClosed = false

  /**
   * `spot`: of the gateway at this moment, after so many moves; `onStray`: something came from another one, and was thrown away.
   */
  constructor(spot: (moves: number) => Spot | undefined, onStray: () => void = () => {}) {
    this.#spot = spot
    this.#onStray = onStray
    this.#socket = this.#create()
  }

  async open(): Promise<void> {
    this.#socket.bind(0, LOOPBACK)
    await once(this.#socket, 'listening')
  }

  async move(): Promise<void> {
    const before = this.#socket
    this.#socket = this.#create()
    await this.open()
    this.#moves += 1
    // not sooner, or it would get the same port
    before.close()
  }

  /** What was under way through the air when it was closed is lost. */
  send(bytes: Uint8Array): void {
    if (this.#isClosed) return
    const { port, address = LOOPBACK } = this.#spot(this.#moves) ?? NOWHERE
    this.#socket.send(bytes, port, address)
  }

  close(): void {
    this.#isClosed = true
    this.#socket.close()
  }

  #create(): Socket {
    const socket = createSocket('udp4')
    socket.on('error', (error) => this.onError(error))
    socket.on('message', (bytes, from) => {
      if (socket !== this.#socket) return
      const { port, address = LOOPBACK } = this.#spot(this.#moves) ?? NOWHERE
      if (from.port === port && from.address === address) this.onMessage(bytes)
      else this.#onStray()
    })
    return socket
  }
}

/** What a link with DTLS is told. */
export interface SecureLinkOptions {
  /** opens its way to the gateway */
  readonly way: () => Promise<{ readonly port: number; close(): void }>
  readonly psk: { readonly identity: string; readonly key: string }
  /** called after each handshake; there is to be one, whatever becomes of the gateway */
  readonly onSecured: () => void
  readonly onEnded: () => void
}

/** A session of DTLS, that has to outlive the gateway's process. */
export class SecureLink implements Link {
  onMessage: (bytes: Uint8Array) => void = () => {}
  onError: (error: Error) => void = () => {}
  readonly #options: SecureLinkOptions
  #transport: SensorTransport | undefined
  #endWay = () => {}

  constructor(options: SecureLinkOptions) {
    this.#options = options
  }

  async open(): Promise<void> {
    const { psk, onSecured, onEnded } = this.#options
    const way = await this.#options.way()
    this.#endWay = () => way.close()
    const patience = { tRetry: 1000, nRetry: 20 }
    const transport = await openDtls(`dtls://127.0.0.1:${way.port}`, {}, { psk }, patience)
    transport.onReceive = (bytes) => this.onMessage(bytes)
    transport.onError = (error) => this.onError(error)
    transport.onSecured = onSecured
    transport.onEnded = onEnded
    this.#transport = transport
    await transport.ready()
  }

  send(bytes: Uint8Array): void {
    this.#transport?.send(bytes)
  }

  close(): void {
    this.#transport?.close()
    this.#endWay()
  }
}
