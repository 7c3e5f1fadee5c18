// Simulated sensors that speak DTLS: the client half of the core on the socket of a LightSensor.

import { DtlsClient } from '../../src/dtls/client/client.ts'
import type { ClientOptions, ClientResumption } from '../../src/dtls/client/options.ts'
import { signerOf, systemChance } from '../../src/dtls/crypto/chance.ts'
import { createTrust, derChain } from '../../src/dtls/crypto/x509.ts'
import type { Effect, Turn } from '../../src/dtls/effects.ts'
import * as pki from '../pki.ts'
import { type Endpoint, LightSensor } from './sensors.ts'

/** The one key of all simulated sensors. */
const KEY = '000102030405060708090a0b0c0d0e0f'

/** A file of keys for `<prefix>0` and so on. */
export const pskText = (prefixes: readonly string[], count: number): string =>
  prefixes
    .flatMap((prefix) => Array.from({ length: count }, (_, index) => `${prefix}${index}:${KEY}\n`))
    .join('')

/** Certificates for the gateway's listener, worth nothing. */
export const gatewayCertificates = { cert: pki.server.cert, key: pki.server.key, clientCa: pki.ca.cert }

const certificate = { chain: derChain(pki.client.cert), sign: signerOf(pki.client.key) }
const serverTrust = createTrust({ authorities: pki.ca.cert, purpose: 'server' })

/** How a sensor is known. */
export type Kind = 'key' | 'certificate'

type Settings = Omit<ClientOptions, 'remote'>

/** Options of a client by its kind; `suites` as in the table of src/dtls/suites.ts. */
export function clientSettings(kind: Kind, clientId: string, suites: readonly number[]): Settings {
  const known = { suites, retransmit: 1000, handshake: 30_000 }
  return kind === 'certificate'
    ? { ...known, certificate, serverTrust }
    : { ...known, psk: { identity: clientId, key: Uint8Array.from(Buffer.from(KEY, 'hex')) } }
}

/** One sensor with a session. */
export class SecureSensor extends LightSensor {
  readonly #settings: ClientOptions
  #client: DtlsClient
  #settle: ((failed?: string) => void) | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(gateway: Endpoint, settings: Settings) {
    super(gateway)
    this.#settings = { ...settings, remote: { address: gateway.host, port: gateway.port } }
    this.#client = new DtlsClient(this.#settings, systemChance)
  }

  override async open(): Promise<void> {
    await this.openSocket()
    await this.secure()
  }

  /** The socket alone: handshakes are measured without it. */
  openSocket(): Promise<void> {
    return super.open()
  }

  /** Makes a handshake, a short one with what an earlier one left. Rejects if it fails. */
  async secure(resume?: ClientResumption): Promise<void> {
    this.#client = new DtlsClient({ ...this.#settings, resume }, systemChance)
    await new Promise<void>((resolve, reject) => {
      this.#settle = (failed) => (failed === undefined ? resolve() : reject(new Error(`DTLS: ${failed}`)))
      this.#do((turn) => this.#client.start(turn))
    })
  }

  get resumption(): ClientResumption | undefined {
    return this.#client.resumption
  }

  override send(bytes: Uint8Array): void {
    this.#do((turn) => void this.#client.send(bytes, turn))
  }

  protected override receive(bytes: Buffer): void {
    this.#do((turn) => this.#client.receive(bytes, turn))
  }

  override close(): void {
    super.close()
    clearTimeout(this.#timer)
  }

  #do(action: (turn: Turn) => void): void {
    const out: Effect[] = []
    action({ now: performance.now(), wall: Date.now(), out })
    for (const effect of out) {
      if (effect.type === 'send') this.transmit(effect.bytes)
      else if (effect.type === 'data')
        this.onMessage(Buffer.from(effect.bytes.buffer, effect.bytes.byteOffset, effect.bytes.length))
      else if (effect.type === 'open') this.#settle?.()
      else if (effect.type === 'failed') this.#settle?.(effect.why)
    }
    const due = this.#client.due()
    if (due === Number.POSITIVE_INFINITY && this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#timer =
      due === Number.POSITIVE_INFINITY
        ? undefined
        : setTimeout(() => this.#do((turn) => this.#client.tick(turn)), Math.max(1, due - performance.now()))
  }
}
