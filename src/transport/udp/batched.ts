// UDP in batches, where native/datagrams.c was built: one system call receives what waits at a socket, and one sends what a turn of
// the event loop has for sensors. Everything odd about it is in this file.
//
// With node:dgram each datagram costs two system calls and the objects around them, which was half of what the gateway spent on a
// message. The sockets stay those of node:dgram: they are bound, joined to groups and closed by it, it wakes us up with the first
// datagram of a batch, and it takes over what the system refuses, so that errors are told and counted as without batches.

import type { Socket } from 'node:dgram'
import { createRequire } from 'node:module'
import { getSystemErrorName } from 'node:util'
import { TransportError } from '../error.ts'
import type { Remote } from '../transport.ts'
import type { BoundSocket } from './socket.ts'

/** What native/datagrams.c gives; its text says what they do. */
export interface DatagramCalls {
  receive(descriptor: number, octets: Uint8Array, rows: Uint32Array): number
  send(descriptor: number, octets: Uint8Array, rows: Uint32Array, first: number, end: number): number
  describe(row: Uint32Array): string
  parse(address: string, row: Uint32Array): number
}

/** How UDP is done: `auto` in batches where that was built. */
export type UdpWay = 'auto' | 'simple' | 'batched'

/** Where `npm run native` puts it, seen from this file: as it is written, and in dist/. */
const PLACES = ['../../../native/datagrams.node', '../../../../native/datagrams.node']

/** Loads the native part; undefined where there is none, or none for this machine. Throws TransportError `invalid` if it is demanded. */
export function findDatagramCalls(way: UdpWay, places = PLACES): DatagramCalls | undefined {
  if (way === 'simple') return undefined
  for (const place of places) {
    try {
      return createRequire(import.meta.url)(place)
    } catch {} // not built, or for another system
  }
  if (way === 'auto') return undefined
  throw new TransportError(
    'invalid',
    'gateway.udp "batched": the native part is not built for this machine; run "npm run native" in the folder of the package, or use "auto"',
  )
}

/** A row of native/datagrams.c. */
const [OFFSET, LENGTH, PORT, FAMILY, SCOPE, ADDRESS, ROW] = [0, 1, 2, 3, 4, 5, 9]
/** Octets that native/datagrams.c keeps free for each datagram that may come. Memory that is not written to costs nothing. */
const SLOT = 65_536 + 192
/** Datagrams of a socket that are received in one call. */
const RECEIVED_AT_ONCE = 128
/** Datagrams that may wait for the end of the turn, and their octets. */
const SENT_AT_ONCE = 128
const SENT_OCTETS = 131_072
/** Addresses that are known in both forms. */
const MOST_ADDRESSES = 4096

/** With what node:dgram reads before. So many in a row mean that more may wait. */
export const BATCH = 1 + RECEIVED_AT_ONCE

/** Where all sockets of this thread receive: each batch is handed over before another is received. */
let received: { readonly octets: Uint8Array; readonly rows: Uint32Array; readonly bytes: Buffer } | undefined
/** Addresses as text, by the number that an IPv4 address is, or the octets of zone and address. */
const texts = new Map<number | string, string>()
/** The opposite. */
const addressRows = new Map<string, Uint32Array>()

function remember<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): Value {
  if (map.size >= MOST_ADDRESSES) map.clear()
  map.set(key, value)
  return value
}

/** Gives the descriptor of a socket, below 0 once it is closed. node:dgram keeps it under a symbol of its own. */
function descriptorOf(socket: Socket): () => number {
  const symbol = Object.getOwnPropertySymbols(socket).find((each) => each.description === 'state symbol')
  const state: { readonly handle?: { readonly fd?: number } | null } | undefined =
    symbol && Reflect.get(socket, symbol)
  return () => state?.handle?.fd ?? -1
}

/** Hands over what a socket receives, as `socket.on('message', onMessage)` would. */
export function receiveBatches(
  socket: Socket,
  calls: DatagramCalls,
  onMessage: (bytes: Uint8Array, remote: Remote) => void,
): void {
  const rows = received?.rows ?? new Uint32Array(RECEIVED_AT_ONCE * ROW)
  received ??= { octets: new Uint8Array(RECEIVED_AT_ONCE * SLOT), rows, bytes: Buffer.from(rows.buffer) }
  const { octets, bytes } = received
  const descriptor = descriptorOf(socket)
  let isFull = false

  const addressIn = (at: number): string => {
    const key =
      rows[at + FAMILY] === 4
        ? (rows[at + ADDRESS] ?? 0)
        : bytes.toString('latin1', (at + SCOPE) * 4, (at + ROW) * 4)
    return texts.get(key) ?? remember(texts, key, calls.describe(rows.subarray(at, at + ROW)))
  }

  socket.on('message', (first, from) => {
    onMessage(first, from)
    const fd = isFull ? -1 : descriptor()
    if (fd < 0) return
    const count = calls.receive(fd, octets, rows)
    if (count < 0) socket.emit('error', new Error(`recvmmsg ${getSystemErrorName(count)}`))
    for (let at = 0; at < count * ROW; at += ROW) {
      const start = rows[at + OFFSET] ?? 0
      // a copy: what is received next overwrites this
      const datagram = octets.slice(start, start + (rows[at + LENGTH] ?? 0))
      onMessage(datagram, { address: addressIn(at), port: rows[at + PORT] ?? 0, local: undefined })
    }
    if (count < RECEIVED_AT_ONCE) return
    // until the end of the turn only the few that node:dgram reads, so that others get their turn, too
    isFull = true
    setImmediate(() => {
      isFull = false
    })
  })
}

/** Sends what node:dgram sends, as it does: takes it at once, and counts what fails. */
type SendSimply = (bytes: Uint8Array, port: number, address: string) => void

/** What the sockets of a link send in this turn. */
export class SendBatches {
  readonly #calls: DatagramCalls
  readonly #sendSimply: (socket: Socket, ...datagram: Parameters<SendSimply>) => void
  readonly #batches = new Map<Socket, SendBatch>()

  constructor(
    calls: DatagramCalls,
    sendSimply: (socket: Socket, ...datagram: Parameters<SendSimply>) => void,
  ) {
    this.#calls = calls
    this.#sendSimply = sendSimply
  }

  /** Sends a datagram together with the others of this turn. */
  send({ socket, endpoint }: BoundSocket, bytes: Uint8Array, port: number, address: string): void {
    let batch = this.#batches.get(socket)
    if (batch === undefined) {
      batch = new SendBatch(socket, endpoint.family, this.#calls, (...datagram) =>
        this.#sendSimply(socket, ...datagram),
      )
      this.#batches.set(socket, batch)
      socket.once('close', () => this.#batches.delete(socket))
    }
    batch.send(bytes, port, address)
  }

  /** Sends what there is, now. */
  flush(): void {
    for (const batch of this.#batches.values()) batch.flush()
  }
}

class SendBatch {
  readonly #socket: Socket
  readonly #family: number
  readonly #calls: DatagramCalls
  readonly #sendSimply: SendSimply
  readonly #descriptor: () => number
  readonly #octets = new Uint8Array(SENT_OCTETS)
  readonly #rows = new Uint32Array(SENT_AT_ONCE * ROW)
  readonly #addresses: string[] = []
  #count = 0
  #used = 0

  constructor(socket: Socket, family: 4 | 6, calls: DatagramCalls, sendSimply: SendSimply) {
    this.#socket = socket
    this.#family = family
    this.#calls = calls
    this.#sendSimply = sendSimply
    this.#descriptor = descriptorOf(socket)
  }

  /** Sends it with the others of this turn. What is no datagram for this socket is left to node:dgram, which says why. */
  send(bytes: Uint8Array, port: number, address: string): void {
    const to = this.#addressRow(address)
    const isPort = Number.isInteger(port) && port > 0 && port < 65_536
    if (to === undefined || !isPort || bytes.length > SENT_OCTETS) {
      this.flush()
      return this.#sendSimply(bytes, port, address)
    }
    if (this.#count === SENT_AT_ONCE || this.#used + bytes.length > SENT_OCTETS) this.flush()
    if (this.#count === 0) setImmediate(this.flush)
    const rows = this.#rows
    const at = this.#count * ROW
    rows.set(to, at)
    rows[at + OFFSET] = this.#used
    rows[at + LENGTH] = bytes.length
    rows[at + PORT] = port
    this.#octets.set(bytes, this.#used)
    this.#addresses[this.#count] = address
    this.#used += bytes.length
    this.#count += 1
  }

  /** Sends what there is, now. */
  readonly flush = (): void => {
    const end = this.#count
    if (end === 0) return
    const [rows, octets] = [this.#rows, this.#octets]
    this.#count = this.#used = 0
    for (let next = 0; next < end; next += 1) {
      const fd = this.#descriptor()
      // what waits for room goes first
      if (fd >= 0 && this.#socket.getSendQueueCount() === 0)
        next += this.#calls.send(fd, octets, rows, next, end)
      if (next === end) return
      // this one was refused: node:dgram tries again, tells why not, or keeps it until there is room
      const at = next * ROW
      const start = rows[at + OFFSET] ?? 0
      const address = this.#addresses[next] ?? ''
      addressRows.delete(address)
      this.#sendSimply(octets.slice(start, start + (rows[at + LENGTH] ?? 0)), rows[at + PORT] ?? 0, address)
    }
  }

  #addressRow(address: string): Uint32Array | undefined {
    let row = addressRows.get(address)
    if (row === undefined) {
      row = new Uint32Array(ROW)
      if (this.#calls.parse(address, row) === 0) return undefined
      remember(addressRows, address, row)
    }
    return row[FAMILY] === this.#family ? row : undefined
  }
}
