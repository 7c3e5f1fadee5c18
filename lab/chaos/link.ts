// What carries the datagrams that come through the air: a UDP socket, or a session of DTLS on one.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { openDtls } from '../../src/sensor/dtls.ts'
import type { SensorTransport } from '../../src/sensor/sensor.ts'

/** One sensor's link to the gateway, whose own address stays. */
export interface Link {
  onMessage: (bytes: Uint8Array) => void
  onError: (error: Error) => void
  open(): Promise<void>
  send(bytes: Uint8Array): void
  close(): void
}

/** Plain UDP. */
export class PlainLink implements Link {
  onMessage: (bytes: Uint8Array) => void = () => {}
  onError: (error: Error) => void = () => {}
  readonly #socket: Socket = createSocket('udp4')
  readonly #port: () => number

  /** `port`: of the gateway at this moment; `onStray`: something came from another one, and was thrown away. */
  constructor(port: () => number, onStray: () => void = () => {}) {
    this.#port = port
    this.#socket.on('error', (error) => this.onError(error))
    this.#socket.on('message', (bytes, from) => {
      if (from.port === port()) this.onMessage(bytes)
      else onStray()
    })
  }

  async open(): Promise<void> {
    this.#socket.bind(0, '127.0.0.1')
    await once(this.#socket, 'listening')
  }

  send(bytes: Uint8Array): void {
    this.#socket.send(bytes, this.#port(), '127.0.0.1')
  }

  close(): void {
    this.#socket.close()
  }
}

/** What a link with DTLS is told. */
export interface SecureLinkOptions {
  readonly port: number
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

  constructor(options: SecureLinkOptions) {
    this.#options = options
  }

  async open(): Promise<void> {
    const { port, psk, onSecured, onEnded } = this.#options
    const patience = { tRetry: 1000, nRetry: 20 }
    const transport = await openDtls(`dtls://127.0.0.1:${port}`, {}, { psk }, patience)
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
  }
}
