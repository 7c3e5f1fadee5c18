// LoRaLink modems: peers by one octet, one frame at a time, which the modem says it has sent or not. There may be two of them, one
// that receives and one that sends. Pure.

import { createApiFrames, mostApiOctets } from '../framing/api-frames.ts'
import type { Framing } from '../framing/decoded.ts'
import { isWholeMessage } from '../framing/length.ts'
import type { LinkError } from '../transport.ts'
import { Confirmations } from './confirmations.ts'
import type { Dialogue, Heard, ModemOptions } from './dialogue.ts'
import { earliest, heardIn, lost, noise } from './heard.ts'

/** Octets of the longest message: what fits a frame of the radio. */
export const LORALINK_LONGEST = 249

/** Source, strength, signal to noise, type. */
const HEADER = 6
const TYPE = { message: 0x40, sent: 0x80, busy: 0x81, timeout: 0x82 } as const
const EVERYBODY = 0xff
const ADDRESS = /^lora\/([1-9]\d{0,2})$/

/** Speaks with one modem, or with two. */
export const createLoralink = (options: ModemOptions): Dialogue => new Loralink(options)

class Loralink implements Dialogue {
  readonly longest = undefined
  readonly unreachable = []
  readonly longestFrame: number
  readonly #confirmations: Confirmations
  /** of the modem that receives, and of the one that sends, where there are two */
  readonly #frames: Framing
  readonly #second: Framing
  #silentAt: number | undefined

  constructor({ longest, confirm }: ModemOptions) {
    const options = { longest: longest + HEADER, escaped: true, countsSum: true }
    this.#frames = createApiFrames(options)
    this.#second = createApiFrames(options)
    this.longestFrame = mostApiOctets(longest + 2)
    // it says of a frame what became of it, but not of which
    this.#confirmations = new Confirmations({ inFlight: 1, confirm })
  }

  get isReady(): boolean {
    return !this.#confirmations.isFull
  }

  get unconfirmed(): number {
    return this.#confirmations.size
  }

  get deadline(): number | undefined {
    return earliest(this.#silentAt, this.#confirmations.deadline)
  }

  begin(): void {
    this.#frames.reset()
    this.#second.reset()
    this.#silentAt = undefined
    this.#confirmations.clear()
  }

  push(bytes: Uint8Array, now: number, fromSecond = false): Heard[] {
    const frames = fromSecond ? this.#second : this.#frames
    this.#silentAt = now + (frames.silence ?? 0)
    return heardIn(frames.push(bytes), (frame) => this.#read(frame))
  }

  expire(now: number): Heard[] {
    const heard = lost('unconfirmed', this.#confirmations.expire(now))
    if (this.#silentAt === undefined || now < this.#silentAt) return heard
    this.#silentAt = undefined
    const rest = [...this.#frames.reset(), ...this.#second.reset()]
    return [...heardIn(rest, (frame) => this.#read(frame)), ...heard]
  }

  encode(message: Uint8Array, to: string | undefined): Uint8Array | LinkError {
    const destination = to === undefined ? EVERYBODY : Number(ADDRESS.exec(to)?.[1] ?? 0)
    if (destination === 0 || destination > EVERYBODY) return 'undelivered'
    return this.#frames.encode(Uint8Array.of(destination, TYPE.message, ...message))
  }

  seal(frame: Uint8Array, now: number): Uint8Array {
    this.#confirmations.begin(this.#confirmations.nextId(), '', now)
    return frame
  }

  ownFrame(): undefined {
    return undefined
  }

  #read(frame: Uint8Array): Heard[] {
    if (frame.length < HEADER) return [noise(frame, 'unknown-frame')]
    switch (frame[HEADER - 1]) {
      case TYPE.message:
        return [this.#message(frame)]
      case TYPE.sent:
        this.#confirmations.endOldest()
        return []
      case TYPE.busy:
      case TYPE.timeout:
        return this.#confirmations.endOldest() === undefined ? [] : lost('undelivered', 1)
      default:
        return [noise(frame, 'unknown-frame')]
    }
  }

  #message(frame: Uint8Array): Heard {
    const source = frame[0] ?? 0
    const bytes = frame.slice(HEADER)
    if (source === 0 || source === EVERYBODY || !isWholeMessage(bytes)) return noise(bytes)
    const rssi = new DataView(frame.buffer, frame.byteOffset).getInt16(1)
    return { type: 'message', bytes, from: `lora/${source}`, signal: { rssi } }
  }
}
