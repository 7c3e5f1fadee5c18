// A stream that is opened again whenever it has gone, for as long as it is wanted.

import type { ByteStream, StreamListener } from '../stream/stream.ts'
import type { LineEvent } from './options.ts'
import type { LineTimers } from './timers.ts'

/** Longer than all that may be waited for: a carrier, `stty`, a connection. */
const OPEN_WITHIN = 15_000

/** What a stream is kept open with. */
export interface LastingParts {
  /** what it is, for messages to people */
  readonly what: string
  /** milliseconds between attempts, doubling from `min` to `max` */
  readonly reopen: { readonly min: number; readonly max: number }
  readonly timers: LineTimers
  open(listener: StreamListener): Promise<ByteStream>
  /** it is there */
  onOpen(): void
  /** it is gone: what waited for it is lost */
  onAway(): void
  onOctets(bytes: Uint8Array, fromSecond?: boolean): void
  /** the system has taken something that was written */
  onTaken(): void
  /** told of once each time that it comes or goes */
  onLine(event: LineEvent): void
}

export class LastingStream {
  readonly #parts: LastingParts
  #stream: ByteStream | undefined
  #pause: number
  #wasAway = false
  #isWanted = true

  constructor(parts: LastingParts) {
    this.#parts = parts
    this.#pause = parts.reopen.min
  }

  /** undefined while it is away */
  get stream(): ByteStream | undefined {
    return this.#stream
  }

  /** One attempt; the error if it failed. The next one is under way then. */
  async open(): Promise<Error | undefined> {
    try {
      const stream = await this.#openInTime()
      if (!this.#isWanted) {
        stream.close()
        return undefined
      }
      this.#stream = stream
      this.#pause = this.#parts.reopen.min
      this.#wasAway = false
      this.#parts.onLine({ type: 'up' })
      this.guard(() => this.#parts.onOpen())
      return undefined
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error))
      this.#isAway(failure)
      return failure
    }
  }

  /** What takes for ever must not keep the line from being tried again. */
  #openInTime(): Promise<ByteStream> {
    const { what, timers, open } = this.#parts
    return new Promise((resolve, reject) => {
      let isLate = false
      timers.start('open', OPEN_WITHIN, () => {
        isLate = true
        reject(new Error(`${what}: it could not be opened within ${OPEN_WITHIN / 1000} s`))
      })
      open(this.#listener()).then(
        (stream) => {
          if (isLate) return stream.close()
          timers.stop('open')
          resolve(stream)
        },
        (error: unknown) => {
          if (!isLate) timers.stop('open')
          reject(error)
        },
      )
    })
  }

  /** An exception is a bug: it costs this line a new start, and nobody else anything. */
  guard(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.drop(error instanceof Error ? error : new Error(String(error)))
    }
  }

  /** Closes it, and opens it anew. */
  drop(error: Error): void {
    this.#stream?.close()
    this.#isAway(error)
  }

  /** It is not opened again. */
  renounce(): void {
    this.#isWanted = false
  }

  /** Closes it for good. */
  end(): void {
    this.#isWanted = false
    this.#stream?.close()
    this.#stream = undefined
  }

  /** What is told of one stream, until another one takes its place. */
  #listener(): StreamListener {
    const { what, onOctets, onTaken, onLine } = this.#parts
    return {
      onOctets: (bytes, fromSecond) => this.guard(() => onOctets(bytes, fromSecond)),
      onTaken: () => this.guard(onTaken),
      onEnd: (why) => this.#isAway(new Error(`${what}: ${why}`)),
      onNotice: (text) => onLine({ type: 'notice', level: 'warn', text: `${what}: ${text}` }),
    }
  }

  #isAway(error: Error): void {
    const { timers, reopen, onAway, onLine } = this.#parts
    this.#stream = undefined
    onAway()
    if (!this.#isWanted) return
    if (!this.#wasAway) onLine({ type: 'away', error })
    this.#wasAway = true
    timers.start('reopen', this.#pause, () => void this.open())
    this.#pause = Math.min(2 * this.#pause, reopen.max)
  }
}
