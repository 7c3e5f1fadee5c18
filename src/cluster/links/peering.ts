// The link to one other node, whether it is there or not: dialed again and again where this node is to dial, and what is said of it.

import { connect, type Socket } from 'node:net'
import type { NodeLog } from '../node-words.ts'
import type { LinkConnection } from './connection.ts'

/** Milliseconds until a call is given up, and between calls: more and more, up to the second. */
const CALL_PATIENCE = 2000
const FIRST_PAUSE = 100
const LONGEST_PAUSE = 2000
/** Milliseconds until a link that is down is worth a warning: a node that is stopped ends its links before it is no member any more. */
const GRACE = 3000

/** Where a node can be called. */
export interface LinkAddress {
  readonly host: string
  readonly port: number
}

/** The address in `host:port` or `[host]:port`; undefined if it is none. */
export function linkAddressOf(text: string): LinkAddress | undefined {
  const [, host, digits] = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port }
}

/** For `Peering`. */
export interface PeeringParts {
  readonly node: string
  /** who takes a connection that was made; undefined: the other side is to call */
  readonly dialed: ((socket: Socket, node: string) => LinkConnection) | undefined
  readonly log: NodeLog
}

export class Peering {
  readonly node: string
  address: LinkAddress | undefined
  connection: LinkConnection | undefined
  /** since when it has been up, or down; monotonic milliseconds */
  since = performance.now()
  /** why it is down */
  why = 'not linked yet'
  readonly #parts: PeeringParts
  #socket: Socket | undefined
  #again: NodeJS.Timeout | undefined
  #warning: NodeJS.Timeout | undefined
  #pause = FIRST_PAUSE
  #isEnded = false

  constructor(parts: PeeringParts) {
    this.#parts = parts
    this.node = parts.node
  }

  get isUp(): boolean {
    return this.connection?.isOpen === true
  }

  /** The node is there from now on, under this address. */
  reachAt(address: LinkAddress): void {
    const isNew = this.address?.host !== address.host || this.address.port !== address.port
    this.address = address
    if (!isNew) return
    this.#pause = FIRST_PAUSE
    if (!this.isUp) this.#dial()
  }

  /** Both sides have shown who they are. */
  noteUp(connection: LinkConnection): void {
    const { log } = this.#parts
    const before = this.connection
    this.connection = connection
    if (before !== connection) before?.close('there is a newer one')
    this.since = performance.now()
    this.why = ''
    this.#pause = FIRST_PAUSE
    clearTimeout(this.#warning)
    this.#warning = undefined
    log.info({ node: this.node }, 'link to another node is up')
  }

  /** A connection has ended; `wasUp`: it was the link. */
  noteDown(why: string, wasUp: boolean): void {
    if (this.#isEnded || this.isUp) return
    if (wasUp) this.since = performance.now()
    if (wasUp) this.#parts.log.info({ node: this.node, why }, 'link to another node is down')
    if (why !== this.why) this.#warnLater()
    this.why = why
    this.#dialLater()
  }

  #warnLater(): void {
    this.#warning ??= setTimeout(() => {
      this.#warning = undefined
      const { node, why } = this
      this.#parts.log.warn(
        { node, why },
        'no link to another node: what is for its sensors waits for a moment and is dropped then',
      )
    }, GRACE).unref()
  }

  #dialLater(): void {
    if (this.#parts.dialed === undefined || this.#isEnded) return
    clearTimeout(this.#again)
    this.#again = setTimeout(() => this.#dial(), this.#pause).unref()
    this.#pause = Math.min(LONGEST_PAUSE, 2 * this.#pause)
  }

  #dial(): void {
    const { dialed } = this.#parts
    clearTimeout(this.#again)
    if (dialed === undefined || this.address === undefined || this.#isEnded || this.isUp) return
    this.#socket?.destroy()
    const socket = connect({ ...this.address, timeout: CALL_PATIENCE })
    this.#socket = socket
    let why = 'it does not answer'
    const failed = (): void => {
      if (this.#socket === socket) this.noteDown(why, false)
    }
    socket.once('timeout', () => socket.destroy())
    socket.once('error', (error) => {
      why = error.message
    })
    socket.once('close', failed)
    socket.once('connect', () => {
      socket.off('close', failed)
      socket.setTimeout(0)
      socket.removeAllListeners('timeout')
      dialed(socket, this.node)
    })
  }

  /** The node is gone. */
  end(why: string): void {
    this.#isEnded = true
    clearTimeout(this.#again)
    clearTimeout(this.#warning)
    this.#socket?.destroy()
    this.connection?.close(why)
  }
}
