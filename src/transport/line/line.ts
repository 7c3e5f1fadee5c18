// A link that is a stream of octets with one peer at its other end: frames are found and made, what goes out is paced, and what
// goes away comes back.

import { TransportError } from '../error.ts'
import type { Framing } from '../framing/decoded.ts'
import { createFraming } from '../framing/framing.ts'
import { isWholeMessage } from '../framing/length.ts'
import type { OnDatagram, Remote, Transport } from '../transport.ts'
import { LineBooks } from './books.ts'
import { type LineEvent, type LineOptions, paceLimits } from './options.ts'
import { Pace } from './pace.ts'
import { openSerial } from './serial.ts'
import type { ByteStream, StreamListener } from './stream.ts'
import { openTcp } from './tcp.ts'
import { LineTimers } from './timers.ts'
import { type LineSettings, lineAddress, readLineUrl } from './url.ts'

/** Octets that the system may hold: what waits above could not be ordered or dropped any more. */
const MOST_WRITTEN = 4096
/** A line that takes nothing for so long is stuck. */
const STUCK_AFTER = 30_000
/** What waits is sent for so long when the line is closed. */
const FLUSH_WITHIN = 1000
const LONGEST = 1472

const openStream = ({ stream }: LineSettings, listener: StreamListener): Promise<ByteStream> =>
  stream.kind === 'serial' ? openSerial(stream, listener) : openTcp(stream, listener)

/**
 * Opens a line; resolves even if that fails for now, and tries again for as long as it is not closed. Rejects with TransportError
 * for an url that is wrong, and with `strict=on` for a line that cannot be opened.
 */
export async function openLine(options: LineOptions, onDatagram: OnDatagram): Promise<Transport> {
  const settings = readLineUrl(options.url)
  if ('expected' in settings)
    throw new TransportError('invalid', `${options.url}: expected ${settings.expected}`)
  const line = new Line(options, settings, onDatagram)
  const error = await line.open()
  if (error === undefined || !settings.strict) return line
  await line.close()
  throw error
}

/** See `Transport` for what its methods do. */
class Line implements Transport {
  readonly url: string
  readonly #settings: LineSettings
  readonly #longest: number
  readonly #remote: Remote
  readonly #onDatagram: OnDatagram
  readonly #onLine: (event: LineEvent) => void
  readonly #framing: Framing
  readonly #pace: Pace
  readonly #books = new LineBooks()
  readonly #timers = new LineTimers()
  #stream: ByteStream | undefined
  #pause: number
  #sendErrors = 0
  #wasAway = false
  #closing: Promise<void> | undefined
  #emptied = () => {}

  constructor(options: LineOptions, settings: LineSettings, onDatagram: OnDatagram) {
    const { url, longest = LONGEST, onLine } = options
    this.url = url
    this.#settings = settings
    this.#longest = longest
    this.#remote = { address: lineAddress(settings), port: 0 }
    this.#onDatagram = onDatagram
    this.#onLine = onLine ?? (() => {})
    this.#framing = createFraming(settings.framing, { longest, crc: settings.crc })
    this.#pace = new Pace(paceLimits(settings, options), 2 * longest + 8)
    this.#pause = settings.reopen.min
  }

  /** One attempt; the error if it failed. The next one is under way then. */
  async open(): Promise<Error | undefined> {
    try {
      const stream = await openStream(this.#settings, this.#listenerOf())
      if (this.#closing !== undefined) {
        stream.close()
        return undefined
      }
      this.#stream = stream
      this.#pause = this.#settings.reopen.min
      this.#framing.reset() // what was before must not become a part of what is now
      this.#books.isUp = true
      this.#wasAway = false
      this.#onLine({ type: 'up' })
      return undefined
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error))
      this.#isAway(failure)
      return failure
    }
  }

  send(bytes: Uint8Array): void {
    if (bytes.length > this.#longest) return this.#lose('oversized')
    if (this.#stream === undefined) return this.#lose('away')
    const dropped = this.#pace.add(bytes, this.#framing.encode(bytes))
    if (dropped > 0) this.#lose('full', dropped)
    this.#drain()
  }

  /** A wire has one node: everybody. */
  broadcast(bytes: Uint8Array): void {
    if (this.#closing === undefined) this.send(bytes)
  }

  room(): number {
    return this.#stream === undefined ? Number.POSITIVE_INFINITY : this.#pace.room
  }

  stats() {
    return {
      receiveBuffer: 0,
      receiveBufferAsked: 0,
      kernelDrops: undefined,
      sendErrors: this.#sendErrors,
      link: this.#books.stats(this.#pace.length),
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#flush().then(() => {
      this.#stream?.close()
      this.#stream = undefined
      this.#books.isUp = false
      this.#timers.stopAll()
    })
    return this.#closing
  }

  /** What is told of one stream, until another one takes its place. */
  #listenerOf(): StreamListener {
    return {
      onOctets: (bytes) => this.#guarded(() => this.#read(bytes)),
      onTaken: () => {
        this.#timers.stop('stuck')
        this.#guarded(() => this.#drain())
      },
      onEnd: (why) => {
        this.#stream = undefined
        this.#isAway(new Error(`${this.#remote.address}: ${why}`))
      },
    }
  }

  /** An exception is a bug: it costs this line a new start, and nobody else anything. */
  #guarded(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.#stream?.close()
      this.#stream = undefined
      this.#isAway(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #isAway(error: Error): void {
    this.#books.isUp = false
    const waited = this.#pace.clear()
    if (waited > 0) this.#lose('away', waited)
    this.#timers.stop('pace', 'silence', 'stuck')
    this.#emptied()
    if (this.#closing !== undefined) return
    if (!this.#wasAway) this.#onLine({ type: 'away', error })
    this.#wasAway = true
    this.#timers.start('reopen', this.#pause, () => void this.open())
    this.#pause = Math.min(2 * this.#pause, this.#settings.reopen.max)
  }

  #read(bytes: Uint8Array): void {
    this.#books.octets.received += bytes.length
    const { silence } = this.#framing
    if (silence !== undefined) {
      this.#timers.stop('silence')
      this.#timers.start('silence', silence, () => this.#take(this.#framing.reset()))
    }
    this.#take(this.#framing.push(bytes))
  }

  #take(decoded: ReturnType<Framing['push']>): void {
    for (const one of decoded) {
      if (one.fault !== undefined || !isWholeMessage(one.frame)) {
        this.#books.count(one.fault ?? 'noise')
        this.#books.keepNoise(one.fault === undefined ? one.frame : one.octets)
      } else {
        this.#books.frames.received += 1
        this.#onDatagram(one.frame, this.#remote)
      }
    }
  }

  /** Gives the system what may leave now. */
  #drain(): void {
    const stream = this.#stream
    if (stream === undefined || this.#timers.isRunning('pace')) return
    while (stream.waiting < MOST_WRITTEN) {
      const next = this.#pace.next(performance.now())
      if (typeof next === 'number') {
        this.#timers.start('pace', next, () => this.#guarded(() => this.#drain()))
        return
      }
      if (next === undefined) break
      stream.write(next)
      this.#books.frames.sent += 1
      this.#books.octets.sent += next.length
    }
    if (stream.waiting > 0) this.#timers.start('stuck', STUCK_AFTER, () => this.#onStuck())
    if (this.#pace.length === 0 && stream.waiting === 0) this.#emptied()
  }

  #onStuck(): void {
    this.#books.count('stuck')
    this.#stream?.close()
    this.#stream = undefined
    this.#isAway(
      new Error(`${this.#remote.address}: it has taken nothing for ${STUCK_AFTER / 1000} s; look at "flow"`),
    )
  }

  #lose(reason: 'oversized' | 'away' | 'full', times = 1): void {
    this.#books.count(reason, times)
    this.#sendErrors += times
  }

  /** Waits until all is written, within a bound. */
  #flush(): Promise<void> {
    const isIdle = this.#stream === undefined || (this.#pace.length === 0 && this.#stream.waiting === 0)
    if (isIdle) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, FLUSH_WITHIN)
      this.#emptied = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
