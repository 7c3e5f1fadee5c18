// A link that is a stream of octets: a dialogue finds who says what and makes frames, what goes out is paced, and what goes away
// comes back.

import type { Dialogue, Heard } from '../dialogue/dialogue.ts'
import { isDiscovery } from '../dialogue/discovery.ts'
import type { ByteStream, StreamListener } from '../stream/stream.ts'
import type { LinkError, OnDatagram, Remote, Transport } from '../transport.ts'
import { LineBooks } from './books.ts'
import { LastingStream } from './lasting-stream.ts'
import type { LineOptions } from './options.ts'
import { Pace, type PaceLimits } from './pace.ts'
import { LineTimers } from './timers.ts'

/** Octets that the system may hold: what waits above could not be ordered or dropped any more. */
const MOST_WRITTEN = 4096
/** A line that takes nothing for so long is stuck. */
const STUCK_AFTER = 30_000
/** What waits is sent for so long when the line is closed. */
const FLUSH_WITHIN = 1000

/** What a line is made of. */
export interface LineParts extends Pick<LineOptions, 'url' | 'onLine'> {
  /** opens the stream, at first and again whenever it has gone */
  readonly open: (listener: StreamListener) => Promise<ByteStream>
  /** milliseconds between attempts, doubling from `min` to `max` */
  readonly reopen: { readonly min: number; readonly max: number }
  /** link address of what is at the other end where the dialogue knows none, and what the line is called in messages */
  readonly address: string
  readonly dialogue: Dialogue
  readonly limits: PaceLimits
  /** octets of the longest message */
  readonly longest: number
}

/** See `Transport` for what its methods do. */
export class Line implements Transport {
  readonly url: string
  readonly #remote: Remote
  readonly #onDatagram: OnDatagram
  readonly #parts: LineParts
  readonly #dialogue: Dialogue
  readonly #pace: Pace
  readonly #books = new LineBooks()
  readonly #timers = new LineTimers()
  readonly #lasting: LastingStream
  #longest: number
  /** when the timer of the dialogue ends */
  #dueAt = 0
  #sendErrors = 0
  #closing: Promise<void> | undefined
  #emptied = () => {}

  constructor(parts: LineParts, onDatagram: OnDatagram) {
    const { url, address, dialogue, limits, longest } = parts
    this.url = url
    this.#parts = parts
    this.#dialogue = dialogue
    this.#longest = longest
    this.#remote = { address, port: 0 }
    this.#onDatagram = onDatagram
    this.#pace = new Pace(limits, dialogue.longestFrame)
    this.#lasting = new LastingStream({
      what: address,
      reopen: parts.reopen,
      timers: this.#timers,
      open: parts.open,
      onOpen: () => this.#begin(),
      onAway: () => this.#isAway(),
      onOctets: (bytes, fromSecond) => this.#read(bytes, fromSecond),
      onTaken: () => {
        this.#timers.stop('stuck')
        this.#drain()
      },
      onLine: (event) => parts.onLine?.(event),
    })
  }

  /** One attempt; the error if it failed. The next one is under way then. */
  open(): Promise<Error | undefined> {
    return this.#lasting.open()
  }

  send(bytes: Uint8Array, { address }: Remote): void {
    this.#queue(bytes, address, 0)
  }

  broadcast(bytes: Uint8Array, radius: number): void {
    if (this.#closing === undefined) this.#queue(bytes, undefined, radius)
  }

  get longest(): number {
    return this.#longest
  }

  room(): number {
    return this.#lasting.stream === undefined ? Number.POSITIVE_INFINITY : this.#pace.room
  }

  stats() {
    return {
      receiveBuffer: 0,
      receiveBufferAsked: 0,
      kernelDrops: undefined,
      sendErrors: this.#sendErrors,
      link: this.#books.stats(this.#pace.length, this.#dialogue),
    }
  }

  close(): Promise<void> {
    this.#lasting.renounce()
    this.#closing ??= this.#flush().then(() => {
      this.#lasting.end()
      this.#books.isUp = false
      this.#timers.stopAll()
    })
    return this.#closing
  }

  #begin(): void {
    this.#books.isUp = true
    this.#dialogue.begin(performance.now()) // what was before must not become a part of what is now
    this.#drain()
  }

  #isAway(): void {
    this.#books.isUp = false
    const lost = this.#pace.clear()
    if (lost > 0) this.#lose('away', lost)
    this.#timers.stop('pace', 'dialogue', 'stuck')
    this.#emptied()
  }

  #read(bytes: Uint8Array, fromSecond?: boolean): void {
    this.#books.octets.received += bytes.length
    this.#take(this.#dialogue.push(bytes, performance.now(), fromSecond))
    // what has come may confirm something, or ask for it
    this.#drain()
  }

  #take(heard: readonly Heard[]): void {
    for (const one of heard) {
      if (one.type === 'message') this.#receive(one)
      else if (one.type === 'notice') this.#parts.onLine?.(one)
      else {
        this.#books.count(one.reason)
        if (one.octets !== undefined) this.#books.keepNoise(one.octets)
      }
    }
    const longest = Math.min(this.#parts.longest, this.#dialogue.longest ?? Number.POSITIVE_INFINITY)
    if (longest === this.#longest) return
    this.#longest = longest
    this.#parts.onLine?.({ type: 'longest', longest })
  }

  #receive({ bytes, from, isBroadcast, signal }: Extract<Heard, { type: 'message' }>): void {
    if (isBroadcast === true && !isDiscovery(bytes)) return this.#books.count('broadcast')
    this.#books.frames.received += 1
    if (signal !== undefined) this.#books.signal = signal
    this.#onDatagram(bytes, from === undefined ? this.#remote : { address: from, port: 0 })
  }

  #queue(bytes: Uint8Array, to: string | undefined, radius: number): void {
    if (bytes.length > this.#longest) return this.#lose('oversized')
    if (this.#lasting.stream === undefined) return this.#lose('away')
    const frame = this.#dialogue.encode(bytes, to, radius)
    if (typeof frame === 'string') return this.#lose(frame)
    const dropped = this.#pace.add(bytes, frame)
    if (dropped > 0) this.#lose('full', dropped)
    this.#drain()
  }

  /** Gives the system what may leave now. */
  #drain(): void {
    const { stream } = this.#lasting
    if (stream === undefined) return
    const dialogue = this.#dialogue
    while (stream.waiting < MOST_WRITTEN) {
      const now = performance.now()
      const own = dialogue.ownFrame(now)
      if (own === undefined) {
        if (!dialogue.isReady || this.#timers.isRunning('pace')) break
        const next = this.#pace.next(now)
        if (typeof next === 'number')
          this.#timers.start('pace', next, () => this.#lasting.guard(() => this.#drain()))
        if (typeof next !== 'object') break
        const frame = dialogue.seal(next, now)
        if (frame.length !== next.length) this.#pace.spend(frame.length - next.length)
        this.#books.frames.sent += 1
        this.#write(frame)
      } else {
        this.#pace.spend(own.length)
        this.#write(own)
      }
    }
    if (stream.waiting > 0) this.#timers.start('stuck', STUCK_AFTER, () => this.#onStuck())
    if (dialogue.deadline !== undefined) this.#await(dialogue.deadline)
    if (this.#isIdle) this.#emptied()
  }

  #write(frame: Uint8Array): void {
    this.#lasting.stream?.write(frame)
    this.#books.octets.sent += frame.length
  }

  /** Waits for what is due in the dialogue; if that has moved to later meanwhile, it is waited for again. */
  #await(deadline: number): void {
    if (this.#timers.isRunning('dialogue')) {
      if (deadline >= this.#dueAt) return
      this.#timers.stop('dialogue')
    }
    this.#dueAt = deadline
    this.#timers.start('dialogue', Math.max(1, deadline - performance.now()), () =>
      this.#lasting.guard(() => {
        this.#take(this.#dialogue.expire(performance.now()))
        this.#drain()
      }),
    )
  }

  #onStuck(): void {
    this.#books.count('stuck')
    const what = this.#remote.address
    this.#lasting.drop(new Error(`${what}: it has taken nothing for ${STUCK_AFTER / 1000} s; look at "flow"`))
  }

  #lose(reason: LinkError, times = 1): void {
    this.#books.count(reason, times)
    this.#sendErrors += times
  }

  get #isIdle(): boolean {
    const { stream } = this.#lasting
    return stream === undefined || (this.#pace.length === 0 && stream.waiting === 0)
  }

  /** Waits until all is written, within a bound. */
  #flush(): Promise<void> {
    if (this.#isIdle) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, FLUSH_WITHIN)
      this.#emptied = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
