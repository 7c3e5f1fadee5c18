// The sensor's end of a DTLS link: one UDP socket, and one session after the other over it. Loaded only for dtls://. The core is
// the gateway's own: a sensor is a second opinion on MQTT-SN, not on DTLS.

import { DtlsClient } from '../dtls/client/client.ts'
import type { ClientOptions } from '../dtls/client/options.ts'
import { signerOf, systemChance } from '../dtls/crypto/chance.ts'
import { createTrust, derChain } from '../dtls/crypto/x509.ts'
import type { Effect, Turn } from '../dtls/effects.ts'
import { SensorError } from './failure.ts'
import { keyOctets, type SecuredSession, type SecurityOptions, type SensorResumption } from './security.ts'
import { openUdp, type SensorTransport } from './udp.ts'

/** What decides how long a handshake may take: as long as any other request. */
export interface Patience {
  readonly tRetry: number
  readonly nRetry: number
}

type Failed = Extract<Effect, { type: 'failed' }>

/** First pause before a flight is repeated, milliseconds; it doubles [RFC 6347 4.2.4]. */
const REPEAT = 2000
/** Octets that fit into one record. */
const LONGEST_RECORD = 16_384

/** Opens the socket; the handshake is made by `ready`. Rejects with SensorError `invalid` for keys that cannot be read. */
export async function openDtls(
  url: string,
  bind: { address?: string; port?: number },
  security: SecurityOptions,
  patience: Patience,
): Promise<DtlsTransport> {
  const options = clientOptions(url, security, patience)
  return new DtlsTransport(await openUdp(url, bind), url, options, security)
}

/** One link, of which sessions come and go. */
export class DtlsTransport implements SensorTransport {
  onReceive: (bytes: Uint8Array) => void = () => {}
  onError: (error: Error) => void = () => {}
  onEnded: () => void = () => {}
  onSecured: (session: SecuredSession) => void = () => {}
  #udp: SensorTransport
  readonly #url: string
  readonly #options: ClientOptions
  readonly #usesKey: boolean
  #resume: SensorResumption | undefined
  #client: DtlsClient | undefined
  #opening: Promise<void> | undefined
  #settle: ((failed?: SensorError) => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #isDoubtful = false
  #wasAnswered = false
  #isClosed = false

  constructor(udp: SensorTransport, url: string, options: ClientOptions, security: SecurityOptions) {
    this.#udp = udp
    this.#url = url
    this.#options = options
    this.#usesKey = security.psk !== undefined
    this.#resume = security.resume
    this.#listen(udp)
  }

  /** Resolves when there is a session; rejects with SensorError `security`, `timeout` or `closed`. */
  async ready(): Promise<void> {
    if (this.#client?.state === 'open' && !this.#isDoubtful) return
    this.#opening ??= this.#handshake().finally(() => {
      this.#opening = undefined
    })
    await this.#opening
  }

  doubt(): void {
    this.#isDoubtful = true
  }

  /**
   * Goes on from another socket: where this machine has another address now, the old one reaches nobody. The session follows if the
   * gateway knows connection ids. Rejects with SensorError where there is none to be had; the old one stays.
   */
  async changeSocket(): Promise<void> {
    const fresh = await openUdp(this.#url, {})
    if (this.#isClosed) return fresh.close()
    this.#udp.close()
    this.#udp = fresh
    this.#listen(fresh)
  }

  send(bytes: Uint8Array): void {
    if (this.#client?.state !== 'open') return
    if (bytes.length > LONGEST_RECORD) this.onError(new Error(`${bytes.length} octets fit into no record`))
    else this.#do((client, turn) => void client.send(bytes, turn))
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    if (this.#client?.state === 'open') this.#do((client, turn) => client.close('the sensor ends', turn))
    this.#client = undefined
    clearTimeout(this.#timer)
    this.#settle?.(new SensorError('closed', 'close() was called'))
    this.#udp.close()
  }

  #listen(udp: SensorTransport): void {
    udp.onReceive = (bytes) => {
      this.#wasAnswered = true
      this.#do((client, turn) => client.receive(bytes, turn))
    }
    udp.onError = (error) => this.onError(error)
  }

  #handshake(): Promise<void> {
    if (this.#isClosed) return Promise.reject(new SensorError('closed', 'close() was called'))
    this.#isDoubtful = false
    this.#wasAnswered = false
    this.#client = new DtlsClient({ ...this.#options, resume: this.#resume }, systemChance)
    return new Promise((resolve, reject) => {
      this.#settle = (failed) => {
        this.#settle = undefined
        if (failed === undefined) resolve()
        else reject(failed)
      }
      this.#do((client, turn) => client.start(turn))
    })
  }

  #do(action: (client: DtlsClient, turn: Turn) => void): void {
    const client = this.#client
    if (client === undefined) return
    const out: Effect[] = []
    action(client, { now: performance.now(), wall: Date.now(), out })
    clearTimeout(this.#timer)
    const due = client.due()
    if (due !== Number.POSITIVE_INFINITY)
      this.#timer = setTimeout(
        () => this.#do((one, turn) => one.tick(turn)),
        Math.max(due - performance.now(), 1),
      )
    for (const effect of out) this.#perform(client, effect)
  }

  #perform(client: DtlsClient, effect: Effect): void {
    switch (effect.type) {
      case 'send':
        return this.#udp.send(effect.bytes)
      case 'data':
        return this.onReceive(effect.bytes)
      case 'open': {
        this.#resume = client.resumption
        const { identity, kind, suite, resumed } = effect.info
        this.onSecured({ identity, kind, suite, resumed, resumption: this.#resume })
        return this.#settle?.()
      }
      case 'failed':
        // the next attempt begins from nothing
        this.#resume = undefined
        return this.#settle?.(this.#failure(effect))
      case 'closed':
        // what it kept for resumption goes where the session ended badly
        this.#resume = client.resumption
        if (!this.#isClosed) this.onEnded()
        return
      case 'fault':
        return this.onError(effect.error instanceof Error ? effect.error : new Error(String(effect.error)))
      default:
        return
    }
  }

  #failure({ cause, why, identity }: Failed): SensorError {
    const at = `DTLS with ${this.#url}`
    if (cause === 'timeout' || cause === 'wrong-key') {
      if (!this.#wasAnswered) return new SensorError('timeout', `${at}: no answer`)
      if (cause === 'wrong-key' && this.#usesKey)
        return new SensorError(
          'security',
          `${at}: it fell silent when it had our key: it does not know the identity ${JSON.stringify(identity)}, or has another key for it`,
        )
      return new SensorError('timeout', `${at}: ${why}`)
    }
    const hint = why.includes('handshake_failure')
      ? '; does its listener take what we have, key or certificate?'
      : ''
    return new SensorError('security', `${at}: ${why}${hint}`)
  }
}

/** What the core is told. Throws SensorError `invalid`. */
function clientOptions(
  url: string,
  { psk, cert, key, ca, serverName, connectionId = true }: SecurityOptions,
  { tRetry, nRetry }: Patience,
): ClientOptions {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '')
  const secret = psk === undefined ? undefined : keyOctets(psk.key)
  return {
    // the socket is connected: who is there is not the core's matter
    remote: { address: host, port: 0 },
    psk: psk && secret ? { identity: psk.identity, key: secret } : undefined,
    certificate:
      cert === undefined || key === undefined
        ? undefined
        : { chain: read('cert', () => derChain(cert)), sign: read('key', () => signerOf(key)) },
    serverTrust:
      ca === undefined
        ? undefined
        : read('ca', () =>
            createTrust({ authorities: ca, purpose: 'server', serverName: serverName ?? host }),
          ),
    connectionIdLength: connectionId ? 0 : 'off',
    retransmit: Math.min(REPEAT, tRetry),
    handshake: tRetry * (nRetry + 1),
  }
}

function read<T>(what: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new SensorError('invalid', `${what}: ${error instanceof Error ? error.message : error}`)
  }
}
