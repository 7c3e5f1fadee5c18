// The way from a forwarder to its gateway: a UDP socket or a DTLS session, opened again for as long as it is wanted.

import type { ForwardTarget } from '../../config/forward/load.ts'
import type { DtlsTransport } from '../../sensor/dtls.ts'
import { pause } from '../../sensor/pause.ts'
import { isSecure, type SecuredSession, type SensorResumption } from '../../sensor/security.ts'
import { openUdp, type SensorTransport } from '../../sensor/udp.ts'

/** What is told of the way. */
export interface WayListener {
  /** there is one; with the session of dtls:// */
  onOpen(session: SecuredSession | undefined): void
  /** there is none, and it is tried again; never twice for the same reason in a row */
  onClosed(error: Error): void
  onDatagram(bytes: Uint8Array): void
  /** `renew` has led to a second way, which waits for `adopt` or `abandon` */
  onSecondWay(): void
  /** it has not */
  onNoSecondWay(): void
  /** an error of the socket, such as that nobody listens there */
  onError(error: Error): void
}

/** How long a handshake may take: the first repetition after a second, and 16 s in all. */
const PATIENCE = { tRetry: 4000, nRetry: 3 }
/** Milliseconds between attempts, doubling. */
const PAUSE = { min: 1000, max: 30_000 }
/** A session that lasted so long did not fail for what made it. */
const LASTING = 60_000

interface Way {
  readonly transport: SensorTransport
  readonly session: SecuredSession | undefined
}

export class GatewayWay {
  /** sessions of dtls:// that were opened, by kind of handshake */
  readonly handshakes = { full: 0, resumed: 0, failed: 0 }
  readonly #target: ForwardTarget
  readonly #listener: WayListener
  readonly #ending = new AbortController()
  #current: SensorTransport | undefined
  #openedAt = 0
  #second: Way | undefined
  #isRenewing = false
  #resume: SensorResumption | undefined
  #pause = PAUSE.min
  #lastReason = ''

  constructor(target: ForwardTarget, listener: WayListener) {
    this.#target = target
    this.#listener = listener
  }

  /** Opens it, again and again until that succeeds or it is closed. */
  async open(): Promise<void> {
    const { signal } = this.#ending
    while (!signal.aborted) {
      try {
        return this.#use(await this.#make(this.#target.localPort))
      } catch (error) {
        if (signal.aborted) return
        this.#tellClosed(error instanceof Error ? error : new Error(String(error)))
        await pause(this.#pause, signal)
        this.#pause = Math.min(2 * this.#pause, PAUSE.max)
      }
    }
  }

  /** False: there is no way now. */
  send(bytes: Uint8Array): boolean {
    this.#current?.send(bytes)
    return this.#current !== undefined
  }

  /**
   * The gateway is silent. The socket is changed for another one, where this machine or the name of the gateway may have another address
   * now; and with dtls:// a second session is prepared, without which nothing would help a gateway that has forgotten ours.
   */
  async renew(): Promise<void> {
    const { url } = this.#target
    if (this.#isRenewing) return
    this.#isRenewing = true
    try {
      if (isSecure(url)) {
        await this.#changeSocket()
        await this.#openSecond()
      } else await this.#reopen()
    } finally {
      this.#isRenewing = false
    }
  }

  /** The second way takes the place of the first. */
  adopt(): void {
    const second = this.#second
    this.#second = undefined
    if (second === undefined) return this.#listener.onNoSecondWay()
    this.#current?.close()
    this.#use(second)
  }

  /** The second way is not needed. */
  abandon(): void {
    this.#second?.transport.close()
    this.#second = undefined
  }

  close(): void {
    this.#ending.abort()
    this.abandon()
    this.#current?.close()
    this.#current = undefined
  }

  async #make(port?: number): Promise<Way> {
    const { url } = this.#target
    const bind = port === undefined ? {} : { port }
    return isSecure(url)
      ? this.#makeSecure(bind)
      : this.#hear({ transport: await openUdp(url, bind), session: undefined })
  }

  async #makeSecure(bind: { port?: number }): Promise<Way> {
    const { url, psk, cert, key, ca, serverName, connectionId } = this.#target
    const security = {
      connectionId,
      ...(psk && { psk: { identity: psk.identity, key: psk.key } }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(ca !== undefined && { ca }),
      ...(serverName !== undefined && { serverName }),
      ...(this.#resume && { resume: this.#resume }),
    }
    // Loaded here, since a forwarder to udp:// needs none of it.
    const { openDtls } = await import('../../sensor/dtls.ts')
    const transport = await openDtls(url, bind, security, PATIENCE)
    let session: SecuredSession | undefined
    transport.onSecured = (secured) => {
      session = secured
    }
    const end = (): void => transport.close()
    this.#ending.signal.addEventListener('abort', end, { once: true })
    try {
      await transport.ready()
    } catch (error) {
      transport.close()
      this.handshakes.failed++
      this.#resume = undefined
      throw error
    } finally {
      this.#ending.signal.removeEventListener('abort', end)
    }
    this.#resume = session?.resumption
    this.handshakes[session?.resumed ? 'resumed' : 'full']++
    return this.#hear({ transport, session })
  }

  #hear(way: Way): Way {
    const { transport } = way
    transport.onReceive = (bytes) => {
      if (transport === this.#current) this.#listener.onDatagram(bytes)
    }
    transport.onError = (error) => this.#listener.onError(error)
    transport.onEnded = () => this.#onEnded(transport)
    return way
  }

  #use({ transport, session }: Way): void {
    if (this.#ending.signal.aborted) return transport.close()
    this.#current = transport
    this.#openedAt = performance.now()
    this.#lastReason = ''
    this.#listener.onOpen(session)
  }

  /** The gateway has ended a session of DTLS. */
  #onEnded(transport: SensorTransport): void {
    transport.close()
    if (transport === this.#second?.transport) {
      this.#second = undefined
      return this.#listener.onNoSecondWay()
    }
    if (transport !== this.#current) return
    this.abandon()
    this.#current = undefined
    this.#tellClosed(new Error('the gateway has ended the session'))
    const isLasting = performance.now() - this.#openedAt > LASTING
    if (isLasting) this.#pause = PAUSE.min
    void pause(isLasting ? 0 : this.#pause, this.#ending.signal).then(() => this.open())
    if (!isLasting) this.#pause = Math.min(2 * this.#pause, PAUSE.max)
  }

  #tellClosed(error: Error): void {
    if (error.message === this.#lastReason) return
    this.#lastReason = error.message
    this.#listener.onClosed(error)
  }

  async #changeSocket(): Promise<void> {
    try {
      await (this.#current as DtlsTransport | undefined)?.changeSocket()
    } catch (error) {
      this.#listener.onError(error instanceof Error ? error : new Error(String(error)))
    }
  }

  async #openSecond(): Promise<void> {
    try {
      const second = await this.#make()
      if (this.#ending.signal.aborted || this.#current === undefined) return second.transport.close()
      this.#second = second
      this.#listener.onSecondWay()
    } catch (error) {
      if (this.#ending.signal.aborted) return
      this.#listener.onError(error instanceof Error ? error : new Error(String(error)))
      this.#listener.onNoSecondWay()
    }
  }

  /** From the same port, if it is still to be had: the gateway tells nodes apart by it, too. */
  async #reopen(): Promise<void> {
    const old = this.#current
    const port = old?.localPort
    old?.close()
    this.#current = undefined
    try {
      const { transport } = await this.#make(port).catch(() => this.#make())
      if (this.#ending.signal.aborted) return transport.close()
      this.#current = transport
      this.#listener.onNoSecondWay()
    } catch (error) {
      if (this.#ending.signal.aborted) return
      this.#tellClosed(error instanceof Error ? error : new Error(String(error)))
      void this.open()
    }
  }
}
