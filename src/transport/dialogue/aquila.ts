// Aquila bridges, for Altair and other radios of 802.15.4: SLIP with a check sum, messages in an encapsulation of their own, one at a
// time until the bridge acknowledges it, and settings that the bridge asks for. Pure.

import type { Framing } from '../framing/decoded.ts'
import { isWholeMessage } from '../framing/length.ts'
import { createSlip } from '../framing/slip.ts'
import type { LinkError } from '../transport.ts'
import { Confirmations } from './confirmations.ts'
import type { Dialogue, Heard, ModemOptions } from './dialogue.ts'
import { heardIn, lost, noise } from './heard.ts'

/** Octets of the longest message: what fits a frame of the radio. */
export const AQUILA_LONGEST = 90

/** What a bridge is told of its network. */
export interface AquilaSettings {
  readonly pan: number
  /** 16 octets; undefined: nothing is encrypted */
  readonly key: Uint8Array | undefined
}

/** Link quality, strength, length of the header, type. */
const LEAST = 4
/** Before a message: these, control and address. */
const HEADER = 7
const TYPE = { nack: 0x00, ack: 0x01, settings: 0x02, pairing: 0x03, message: 0xfe } as const
/** Some bridges restart when the line opens, and hear nothing before. */
const SETTINGS_AFTER = 2200
const NO_KEY = new Uint8Array(16).fill(0xff)
const ADDRESS = /^aquila\/([1-9]\d{0,4})$/

/** Speaks with a bridge. */
export const createAquila = (settings: AquilaSettings, options: ModemOptions): Dialogue =>
  new Aquila(settings, options)

class Aquila implements Dialogue {
  readonly longest = undefined
  readonly unreachable = []
  readonly longestFrame: number
  readonly #settings: AquilaSettings
  readonly #framing: Framing
  readonly #confirmations: Confirmations
  /** when the settings are to be sent; undefined: they are */
  #settingsAt: number | undefined
  #toldOfPairing = false

  constructor(settings: AquilaSettings, { longest, confirm }: ModemOptions) {
    this.#settings = settings
    this.#framing = createSlip({ longest: longest + HEADER, crc: 'xmodem' })
    this.longestFrame = 2 * (longest + HEADER + 2) + 2
    // it acknowledges a frame, but does not say which
    this.#confirmations = new Confirmations({ inFlight: 1, confirm })
  }

  get isReady(): boolean {
    return !this.#confirmations.isFull
  }

  get unconfirmed(): number {
    return this.#confirmations.size
  }

  /** The settings wait for what is not confirmed yet. */
  get deadline(): number | undefined {
    return this.#confirmations.deadline ?? this.#settingsAt
  }

  begin(now: number): void {
    this.#framing.reset()
    this.#confirmations.clear()
    this.#settingsAt = now + SETTINGS_AFTER
  }

  push(bytes: Uint8Array, now: number): Heard[] {
    return heardIn(this.#framing.push(bytes), (frame) => this.#read(frame, now))
  }

  expire(now: number): Heard[] {
    return lost('unconfirmed', this.#confirmations.expire(now))
  }

  encode(message: Uint8Array, to: string | undefined): Uint8Array | LinkError {
    // a bridge knows no address for all
    const address = Number((to === undefined ? null : ADDRESS.exec(to))?.[1] ?? 0)
    if (address === 0 || address > 0xffff) return 'undelivered'
    return this.#framing.encode(Uint8Array.of(5, TYPE.message, 1, address & 0xff, address >> 8, ...message))
  }

  seal(frame: Uint8Array, now: number): Uint8Array {
    this.#confirmations.begin(this.#confirmations.nextId(), 'node', now)
    return frame
  }

  ownFrame(now: number): Uint8Array | undefined {
    if (this.#settingsAt === undefined || now < this.#settingsAt || this.#confirmations.isFull)
      return undefined
    this.#settingsAt = undefined
    this.#confirmations.begin(this.#confirmations.nextId(), 'bridge', now)
    const { pan, key = NO_KEY } = this.#settings
    return this.#framing.encode(Uint8Array.of(0x13, TYPE.settings, pan, ...key))
  }

  #read(frame: Uint8Array, now: number): Heard[] {
    if (frame.length < LEAST) return [noise(frame, 'unknown-frame')]
    switch (frame[3]) {
      case TYPE.message:
        return [this.#message(frame)]
      case TYPE.ack:
        this.#confirmations.endOldest()
        return []
      case TYPE.nack:
        return this.#confirmations.endOldest() === 'node' ? lost('undelivered', 1) : []
      case TYPE.settings:
        this.#settingsAt = now
        return []
      case TYPE.pairing:
        return this.#pairing()
      default:
        return [noise(frame, 'unknown-frame')]
    }
  }

  #message(frame: Uint8Array): Heard {
    const address = (frame[5] ?? 0) + 256 * (frame[6] ?? 0)
    const bytes = frame.slice(HEADER)
    // 0 is a node that wants to be paired
    if (address === 0 || !isWholeMessage(bytes)) return noise(bytes)
    return { type: 'message', bytes, from: `aquila/${address}`, signal: { lqi: frame[0] ?? 0 } }
  }

  /** Told once: a node that wants to be paired asks again and again. */
  #pairing(): Heard[] {
    const refused = lost('unknown-frame', 1)
    if (this.#toldOfPairing) return refused
    this.#toldOfPairing = true
    const text = 'a node wants to be paired, which this gateway does not do: give it a fixed address'
    return [{ type: 'notice', level: 'warn', text }, ...refused]
  }
}
