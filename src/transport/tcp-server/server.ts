// Where modems and bridges call the gateway: each connection is a stream of its own, with a peer or with nodes behind it.

import { createServer, type Server, type Socket } from 'node:net'
import { unwrapMessage } from '../../codec/envelope.ts'
import { createDialogue } from '../dialogue/kinds.ts'
import { explain } from '../error.ts'
import { type LineOptions, longestOf, paceLimits } from '../line/options.ts'
import { Line } from '../line/paced-line.ts'
import { isForRadios, type LineSettings, type ListenSettings, withoutKey } from '../line/url.ts'
import { streamOf } from '../stream/duplex.ts'
import { watchHalfOpen } from '../stream/half-open.ts'
import type { StreamListener } from '../stream/stream.ts'
import { openTelnet } from '../stream/telnet-stream.ts'
import type { LinkStats, OnDatagram, Remote, Transport } from '../transport.ts'
import { Calls, hex, keyOf, placeOf } from './calls.ts'
import { addStats, noStats } from './sums.ts'

/** Connections at once: each is a modem, or a bridge with many nodes. */
const MOST = 16
/** Silence after which the system asks whether the other side is still there. */
const KEEP_ALIVE = 30_000
/** Comings and goings that are told within a minute. */
const MOST_TOLD = 20
const MINUTE = 60_000
/** An IPv4 address as a server on all addresses of both families has it. */
const MAPPED = /^::ffff:(?=\d+\.)/i

/** A modem or bridge that has called. */
interface Connection {
  /** what the gateway knows it by: with `node=encap` the connection may be another one of the same bridge next time */
  readonly remote: Remote
  readonly key: string
  readonly line: Line
}

/** Listens where the url says; rejects with TransportError if that address cannot be had. */
export async function openTcpServer(
  options: LineOptions,
  settings: LineSettings & { readonly stream: ListenSettings },
  onDatagram: OnDatagram,
): Promise<Transport> {
  const server = new LineServer(options, settings, onDatagram)
  await server.listen()
  return server
}

/** See `Transport` for what its methods do. */
class LineServer implements Transport {
  readonly #options: LineOptions
  readonly #settings: LineSettings & { readonly stream: ListenSettings }
  readonly #onDatagram: OnDatagram
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  readonly #calls = new Calls<Connection>()
  /** of connections that have ended */
  #past: LinkStats = noStats
  #pastErrors = 0
  #refused = 0
  /** messages for whoever was not connected any more */
  #lost = 0
  #port = 0
  #told = 0
  #toldSince = 0
  #closing: Promise<void> | undefined

  constructor(
    options: LineOptions,
    settings: LineSettings & { readonly stream: ListenSettings },
    onDatagram: OnDatagram,
  ) {
    this.#options = options
    this.#settings = settings
    this.#onDatagram = onDatagram
    this.#server = createServer(
      { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE },
      (socket) => this.#take(socket),
    )
  }

  listen(): Promise<void> {
    const { host, port } = this.#settings.stream
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error) => reject(explain(this.#options.url, error)))
      this.#server.listen({ host, port, backlog: MOST }, () => {
        this.#server.removeAllListeners('error')
        // such as no descriptor left for one who calls: the others are served all the same
        this.#server.on('error', (error) => this.#tell(error.message))
        const address = this.#server.address()
        this.#port = typeof address === 'object' ? (address?.port ?? port) : port
        resolve()
      })
    })
  }

  get url(): string {
    return withoutKey(this.#options.url).replace(
      /^([a-z-]+:\/\/(?:\[[^\]]*\]|[^:/?]*)):\d+/,
      `$1:${this.#port}`,
    )
  }

  send(bytes: Uint8Array, remote: Remote): void {
    const { bridge, node } = placeOf(remote, this.#isForNodes ? unwrapMessage(bytes)?.nodeId : undefined)
    const connection = this.#calls.find(bridge, node)
    if (connection === undefined) this.#lost += 1
    else connection.line.send(bytes, node === undefined ? connection.remote : { address: node, port: 0 })
  }

  broadcast(bytes: Uint8Array, radius: number): void {
    for (const { line } of this.#connections) line.broadcast(bytes, radius)
  }

  room(remote?: Remote & { readonly nodeId?: Uint8Array | undefined }): number {
    if (remote === undefined) return Number.POSITIVE_INFINITY
    const { bridge, node } = placeOf(remote, remote.nodeId)
    return this.#calls.find(bridge, node)?.line.room() ?? Number.POSITIVE_INFINITY
  }

  stats() {
    const lines = [...this.#connections].map(({ line }) => line.stats())
    const link = lines.reduce((sum, one) => addStats(sum, one.link), this.#past)
    const sendErrors = lines.reduce((sum, one) => sum + one.sendErrors, this.#pastErrors + this.#lost)
    return {
      receiveBuffer: 0,
      receiveBufferAsked: 0,
      kernelDrops: undefined,
      sendErrors,
      link: {
        ...link,
        up: this.#server.listening,
        errors: { ...link.errors, away: link.errors.away + this.#lost },
        connections: { open: this.#connections.size, refused: this.#refused },
      },
    }
  }

  close(): Promise<void> {
    this.#closing ??= Promise.all([
      new Promise<void>((resolve) => this.#server.close(() => resolve())),
      ...[...this.#connections].map((connection) => this.#end(connection)),
    ]).then(() => {})
    return this.#closing
  }

  get #isForNodes(): boolean {
    return this.#settings.node === 'encap'
  }

  #take(socket: Socket): void {
    const { remoteAddress = '', remotePort: port = 0 } = socket
    const host = remoteAddress.replace(MAPPED, '')
    const isAdmitted = this.#options.admitsHost?.(host) ?? true
    if (!isAdmitted || this.#connections.size >= MOST || this.#closing !== undefined) {
      socket.on('error', () => {}).destroy()
      this.#refused += 1
      if (!isAdmitted) this.#options.onRefusedHost?.({ address: host, port })
      else this.#tell(`${host} is turned away: ${MOST} connections is all that a listener takes`, 'warn')
      return
    }
    watchHalfOpen(socket)
    void this.#open(socket, host, port)
  }

  /** Nodes behind a bridge are the same whichever connection it has, and the same behind another bridge. */
  async #open(socket: Socket, host: string, port: number): Promise<void> {
    const isBridge = this.#isForNodes || isForRadios(this.#settings)
    const remote = isBridge ? { address: `bridge/${host}`, port: 0 } : { address: host, port }
    const { url } = this.#options
    const longest = longestOf(this.#settings, this.#options)
    const { inFlight, confirm } = this.#options.pace ?? {}
    const name = `${host}:${port}`
    const parts = {
      ...{ url, longest, address: name, reopen: { min: MINUTE, max: MINUTE } },
      dialogue: createDialogue(this.#settings, { longest, inFlight, confirm }),
      limits: paceLimits(this.#settings, this.#options),
    }
    const line = new Line(
      {
        ...parts,
        open: (listener) => this.#streamOf(socket, listener),
        onLine: (event) => {
          if (event.type === 'away') {
            this.#tell(event.error.message)
            void this.#end(connection)
          } else if (event.type === 'up') this.#tell(`${name} has called`)
          else this.#options.onLine?.(event)
        },
      },
      (bytes, { address }) => {
        if (address !== name) this.#calls.note(connection.key, address, connection)
        else if (this.#isForNodes) this.#note(bytes, connection)
        const from = address === name ? remote : { address: address.replace('/', `/${host}/`), port: 0 }
        this.#onDatagram(bytes, from)
      },
    )
    const connection = { remote, line, key: keyOf(remote) }
    this.#connections.add(connection)
    this.#calls.add(connection.key, connection)
    await line.open()
  }

  #streamOf(socket: Socket, listener: StreamListener) {
    const open = async (inner: StreamListener) => streamOf(socket, inner)
    return this.#settings.stream.telnet === undefined ? open(listener) : openTelnet(undefined, listener, open)
  }

  #note(bytes: Uint8Array, connection: Connection): void {
    const nodeId = unwrapMessage(bytes)?.nodeId
    if (nodeId !== undefined) this.#calls.note(connection.key, hex(nodeId), connection)
  }

  async #end(connection: Connection): Promise<void> {
    if (!this.#connections.has(connection)) return
    await connection.line.close()
    if (!this.#connections.delete(connection)) return
    this.#calls.remove(connection.key, connection)
    const { link, sendErrors } = connection.line.stats()
    this.#past = { ...addStats(this.#past, link), queue: 0, unconfirmed: 0, unreachable: noStats.unreachable }
    this.#pastErrors += sendErrors
  }

  /** Whoever calls again and again must not fill the log. */
  #tell(text: string, level: 'info' | 'warn' = 'info'): void {
    const now = performance.now()
    if (now - this.#toldSince >= MINUTE) {
      this.#told = 0
      this.#toldSince = now
    }
    this.#told += 1
    if (this.#told < MOST_TOLD) this.#options.onLine?.({ type: 'notice', level, text })
    else if (this.#told === MOST_TOLD)
      this.#options.onLine?.({
        type: 'notice',
        level,
        text: `${text}; more of this is not told for a minute`,
      })
  }
}
