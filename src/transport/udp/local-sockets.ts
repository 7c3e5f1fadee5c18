// A listener on all addresses has one socket for each address of this machine, so that an answer leaves from the address that was
// spoken to: a connected UDP socket and a NAT hear nothing else, and Node.js does not tell where a datagram was sent to.

import { type Endpoint, localAddresses } from '../address.ts'
import { kernelDrops } from './kernel-drops.ts'
import { type BoundSocket, bindSocket, growReceiveBuffer, newSocket } from './socket.ts'

/** How often addresses are looked at, milliseconds; until then the socket for all hears what is sent to a new one. */
const LOOK = 2000

/** Most addresses that are learned from what comes; those of interfaces are not bounded. */
const MOST_LEARNED = 64

export interface LocalSocketsParts {
  /** the sockets for all addresses of a family */
  readonly wildcards: readonly Endpoint[]
  readonly receiveBuffer: number
  /** a socket is open: hears what it receives, and its errors */
  readonly onOpen: (bound: BoundSocket) => void
}

/** The sockets for single addresses; one object for a listener. */
export class LocalSockets {
  readonly #parts: LocalSocketsParts
  readonly #open = new Map<string, BoundSocket>()
  /** addresses that no interface lists */
  readonly #learned = new Set<string>()
  readonly #timer: NodeJS.Timeout
  /** what the kernel dropped at sockets that are closed by now */
  #goneDrops = 0
  #isClosed = false

  constructor(parts: LocalSocketsParts) {
    this.#parts = parts
    this.#timer = setInterval(() => this.refresh(), LOOK).unref()
  }

  /**
   * The socket for an address; undefined if the machine has no such address (any more). A loopback address, which no interface
   * lists, gets its socket now.
   */
  find(host: string): BoundSocket | undefined {
    const known = this.#open.get(host)
    if (known !== undefined || !host.startsWith('127.') || this.#learned.has(host)) return known
    if (this.#learned.size >= MOST_LEARNED) return undefined
    this.#learned.add(host)
    this.#openFor(host, 4)
    return this.#open.get(host)
  }

  /** Where they are bound. */
  *endpoints(): Generator<Endpoint> {
    for (const { endpoint } of this.#open.values()) yield endpoint
  }

  /** Datagrams dropped at sockets of addresses that are gone. */
  get goneDrops(): number {
    return this.#goneDrops
  }

  /** Opens sockets for addresses that have come, and closes those of addresses that are gone. */
  refresh(): void {
    const hosts = new Set(this.#learned)
    for (const { family } of this.#parts.wildcards) {
      for (const host of localAddresses(family)) {
        hosts.add(host)
        this.#openFor(host, family)
      }
    }
    for (const [host, { socket, endpoint }] of this.#open) {
      if (hosts.has(host)) continue
      this.#goneDrops += kernelDrops(endpoint) ?? 0
      this.#open.delete(host)
      socket.close()
    }
  }

  /** Closes all. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#timer)
    const sockets = [...this.#open.values()]
    this.#open.clear()
    await Promise.all(sockets.map(({ socket }) => new Promise<void>((done) => socket.close(done))))
  }

  /** One that cannot be had now, such as an IPv6 address that is still being checked for duplicates, is tried again later. */
  #openFor(host: string, family: Endpoint['family']): void {
    const wildcard = this.#parts.wildcards.find((each) => each.family === family)
    if (wildcard === undefined || this.#open.has(host)) return
    const bound = { socket: newSocket(family, true), endpoint: { host, port: wildcard.port, family } }
    const { socket } = bound
    socket.once('listening', () => {
      if (this.#isClosed || this.#open.has(host)) return void socket.close()
      growReceiveBuffer(socket, this.#parts.receiveBuffer)
      this.#open.set(host, bound)
      this.#parts.onOpen(bound)
    })
    bindSocket(socket, wildcard.port, host).catch(() => socket.close())
  }
}
