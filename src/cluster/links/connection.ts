// One connection between two nodes, from the first word to the last: greetings and proofs, then batches of datagrams and messages, each
// of which is bounded and comes in time, or the connection ends.

import type { Socket } from 'node:net'
import { ClockOffset } from './clock-offset.ts'
import { FrameReader, FrameType, frameHeader, LONGEST_BODY, LONGEST_GREETING } from './frames.ts'
import { type Greeting, type Introduction, parseJson, type Role } from './greeting.ts'
import { Handshake } from './handshake.ts'

/** Milliseconds until both must have shown who they are. */
const GREETING_PATIENCE = 3000
/** Milliseconds in which the last words of a connection may still leave. */
const LAST_WORDS = 500
/** Milliseconds between pings, and without a word after which the other side counts as gone. */
const BEAT = 500
const SILENCE = 2500
/** Datagrams that may be under way to the other side; it is overloaded when there are more. */
export const CREDIT = 16_384
/** Octets that may wait for the socket; the same. */
const MOST_WAITING = 8_388_608
/** Octets with which it ends: the other side does not read. */
const TOO_MANY_WAITING = 33_554_432
/** Octets in front of a batch: when its oldest datagram came in, by the sender's clock, and how many there are. */
const BATCH_HEADER = 12

/** What a batch of datagrams is for; see `FrameType`. */
export type BatchKind = 'forward' | 'relay' | 'answer' | 'onward'

const BATCH_TYPES: Readonly<Record<BatchKind, FrameType>> = {
  forward: FrameType.forward,
  relay: FrameType.relay,
  answer: FrameType.answer,
  onward: FrameType.onward,
}
const BATCH_KINDS: ReadonlyMap<number, BatchKind> = new Map([
  [FrameType.forward, 'forward'],
  [FrameType.relay, 'relay'],
  [FrameType.answer, 'answer'],
  [FrameType.onward, 'onward'],
])

/** Datagrams that have come in. */
export interface LinkBatch {
  readonly kind: BatchKind
  /** as it was given to `sendBatch`; a view that is valid during the call */
  readonly octets: Uint8Array
  /** as the other side says; what is taken is counted by it */
  readonly count: number
  /** since when its oldest datagram is under way, this node's monotonic milliseconds */
  readonly since: number
}

/** Who is told of a connection. */
export interface ConnectionEvents {
  /** both sides have shown who they are */
  opened(connection: LinkConnection): void
  /** these two: false if nobody understands it, which ends the connection */
  batch(connection: LinkConnection, batch: LinkBatch): boolean
  message(connection: LinkConnection, message: unknown): boolean
  /** once; `why`: for people */
  closed(connection: LinkConnection, why: string): void
}

/** What both ends have. */
export interface ConnectionParts {
  readonly introduction: Introduction
  readonly secret: string | undefined
  /** whom a dialer calls; '' otherwise */
  readonly to: string
  readonly events: ConnectionEvents
}

export class LinkConnection {
  readonly #socket: Socket
  readonly #parts: ConnectionParts
  readonly #reader: FrameReader
  readonly #clock = new ClockOffset()
  readonly #handshake: Handshake
  #state: 'greeting' | 'open' | 'closed' = 'greeting'
  #heardAt = performance.now()
  #beatAt = performance.now()
  #timer: NodeJS.Timeout
  #why: string | undefined
  #sent = 0
  #acknowledged = 0
  #taken = 0
  #isTakenPlanned = false

  /** `socket`: connected. */
  constructor(socket: Socket, role: Role, parts: ConnectionParts) {
    this.#socket = socket
    this.#parts = parts
    this.#reader = new FrameReader(LONGEST_GREETING, (type, body) => this.#take(type, body))
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#heardAt = performance.now()
      if (this.#state === 'closed') return
      if (!this.#reader.push(chunk)) this.close('it has sent a frame that is too long')
    })
    socket.on('error', (error) => {
      this.#why ??= error.message
    })
    socket.on('close', () => this.close('the other side has closed it'))
    this.#timer = setTimeout(
      () => this.close(`it has not said who it is within ${GREETING_PATIENCE / 1000} s`),
      GREETING_PATIENCE,
    )
    const send = this.#send.bind(this)
    this.#handshake = new Handshake(role, { ...parts, clock: this.#clock, send })
  }

  /** who is at the other end, once it has said so */
  get theirs(): Greeting | undefined {
    return this.#handshake.theirs
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  /** how long a question and its answer take at best, milliseconds */
  get trip(): number | undefined {
    return this.#clock.trip
  }

  /** datagrams that may still be sent before the other side counts as overloaded */
  get credit(): number {
    if (this.#socket.writableLength > MOST_WAITING) return 0
    return CREDIT - this.underWay
  }

  /** datagrams that were sent and that the other side has not confirmed */
  get underWay(): number {
    return (this.#sent - this.#acknowledged) | 0
  }

  /** Sends a batch of so many datagrams; `since`: when the oldest came in. `octets` must not be changed after this. */
  sendBatch(kind: BatchKind, octets: Uint8Array, count: number, since: number): void {
    if (this.#state !== 'open') return
    this.#sent = (this.#sent + count) | 0
    const header = new Uint8Array(BATCH_HEADER)
    const view = new DataView(header.buffer)
    view.setFloat64(0, since)
    view.setUint32(8, count)
    this.#send(BATCH_TYPES[kind], header, octets)
  }

  /** Sends what can be written as JSON. */
  sendMessage(message: object): void {
    if (this.#state === 'open') this.#send(FrameType.message, Buffer.from(JSON.stringify(message)))
  }

  /** Ends it; `why`: for people. */
  close(why: string): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    clearTimeout(this.#timer)
    this.#socket.destroySoon() // what was said last is heard
    setTimeout(() => this.#socket.destroy(), LAST_WORDS).unref()
    this.#parts.events.closed(this, this.#why ?? why)
  }

  #send(type: FrameType, ...parts: readonly Uint8Array[]): void {
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    this.#socket.cork()
    this.#socket.write(frameHeader(type, length))
    for (const part of parts) this.#socket.write(part)
    this.#socket.uncork()
    if (this.#socket.writableLength > TOO_MANY_WAITING) this.close('it does not take what it is sent')
  }

  #take(type: number, body: Uint8Array): void {
    if (this.#state === 'closed') return
    if (this.#state === 'open') return this.#takeOpen(type, body)
    const step = this.#handshake.take(type, body)
    if (step === 'done') this.#open()
    else if (step !== 'more') {
      if (type !== FrameType.refusal) this.#handshake.refuse(step.why)
      this.close(step.why)
    }
  }

  #open(): void {
    clearTimeout(this.#timer)
    this.#state = 'open'
    this.#reader.longest = LONGEST_BODY
    this.#beatAt = this.#heardAt = performance.now()
    this.#timer = setInterval(() => this.#beat(), BEAT).unref()
    this.#send(FrameType.ping, timesOf(performance.now()))
    this.#parts.events.opened(this)
  }

  /** Both sides say something all the time, so that silence means that the other one is gone. */
  #beat(): void {
    const now = performance.now()
    // a time in which this process stood still is held against nobody
    if (now - this.#beatAt > 2 * BEAT) this.#heardAt = now
    this.#beatAt = now
    if (now - this.#heardAt > SILENCE) return this.close(`nothing was heard of it for ${SILENCE / 1000} s`)
    this.#send(FrameType.ping, timesOf(now))
  }

  #takeOpen(type: number, body: Uint8Array): void {
    const kind = BATCH_KINDS.get(type)
    if (kind !== undefined) return this.#takeBatch(kind, body)
    const view = new DataView(body.buffer, body.byteOffset, body.length)
    if (type === FrameType.taken && body.length === 4) this.#acknowledged = view.getInt32(0)
    else if (type === FrameType.ping && body.length === 8)
      this.#send(FrameType.pong, timesOf(view.getFloat64(0), performance.now()))
    else if (type === FrameType.pong && body.length === 16) {
      const [askedAt, theirs, now] = [view.getFloat64(0), view.getFloat64(8), performance.now()]
      if (askedAt <= now && Number.isFinite(theirs)) this.#clock.add(askedAt, theirs, now)
    } else if (type === FrameType.message) {
      const message = parseJson(body)
      if (message === undefined || !this.#parts.events.message(this, message))
        this.close('it has sent a message that nobody understands')
    } else this.close('it has sent a frame that nobody understands')
  }

  #takeBatch(kind: BatchKind, body: Uint8Array): void {
    const view = new DataView(body.buffer, body.byteOffset, body.length)
    const sentAt = body.length < BATCH_HEADER ? Number.NaN : view.getFloat64(0)
    const count = Number.isFinite(sentAt) ? view.getUint32(8) : 0
    const since = this.#clock.toOwn(sentAt, performance.now())
    const batch = { kind, octets: body.subarray(BATCH_HEADER), count, since }
    if (!Number.isFinite(sentAt) || !this.#parts.events.batch(this, batch))
      return this.close('it has sent a batch that nobody understands')
    this.#taken = (this.#taken + count) | 0
    if (this.#isTakenPlanned) return
    this.#isTakenPlanned = true
    setImmediate(() => this.#tellTaken())
  }

  #tellTaken(): void {
    this.#isTakenPlanned = false
    if (this.#state !== 'open') return
    const octets = new Uint8Array(4)
    new DataView(octets.buffer).setInt32(0, this.#taken)
    this.#send(FrameType.taken, octets)
  }
}

function timesOf(...times: readonly number[]): Uint8Array {
  const octets = new Uint8Array(8 * times.length)
  const view = new DataView(octets.buffer)
  for (const [i, time] of times.entries()) view.setFloat64(8 * i, time)
  return octets
}
