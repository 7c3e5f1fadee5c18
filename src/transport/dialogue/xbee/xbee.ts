// XBee modules in API mode: many peers by their 64-bit addresses, a status for each frame that was sent, questions to the module at
// the start. Pure.

import { createApiFrames, mostApiOctets } from '../../framing/api-frames.ts'
import type { Decoded, Framing } from '../../framing/decoded.ts'
import { isWholeMessage } from '../../framing/length.ts'
import type { LinkError } from '../../transport.ts'
import { Confirmations } from '../confirmations.ts'
import type { Dialogue, Heard, ModemOptions } from '../dialogue.ts'
import { earliest, heardIn, lost, noise } from '../heard.ts'
import {
  type ApiFrame,
  type ApiReceiver,
  atCommand,
  readApiFrame,
  type Speech,
  transmitRequest,
} from './api.ts'
import { addressOf, XbeePeers } from './peers.ts'
import { ModuleQuestions } from './questions.ts'

/** Octets before the payload of the longest frame, Explicit Rx. */
const HEADER = 18
/** What a module may say that is longer than messages. */
const SPARE = 3
/** Usual payload of Zigbee; what a module carries, it tells. */
export const XBEE_LONGEST = 84
/** The coordinator of a Zigbee network, whoever that is. */
export const XBEE_COORDINATOR = 'xbee/0000000000000000'

/** How frames are written: AP=1 as they are, AP=2 with escapes. */
export type XbeeMode = 1 | 2

/** Speaks with a module in this mode. */
export const createXbee = (mode: XbeeMode, options: ModemOptions): Dialogue => new Xbee(mode, options)

/** A message that waits, as long as it will be on the line; its id and the address of 16 bits come when it leaves. */
interface Envelope {
  readonly to: string | undefined
  readonly radius: number
  readonly message: Uint8Array
}

class Xbee implements Dialogue {
  readonly longestFrame: number
  readonly #frames: Framing
  readonly #confirmations: Confirmations
  readonly #questions: ModuleQuestions
  readonly #peers = new XbeePeers()
  readonly #envelopes = new WeakMap<Uint8Array, Envelope>()
  #silentAt: number | undefined

  constructor(mode: XbeeMode, { longest, ...limits }: ModemOptions) {
    const most = Math.max(longest, XBEE_LONGEST)
    this.#frames = createApiFrames({ longest: SPARE * most, escaped: mode === 2 })
    this.longestFrame = mostApiOctets(longest + HEADER)
    this.#confirmations = new Confirmations(limits)
    this.#questions = new ModuleQuestions(mode)
  }

  get longest(): number | undefined {
    return this.#questions.payload
  }

  get isReady(): boolean {
    return !this.#confirmations.isFull
  }

  get unconfirmed(): number {
    return this.#confirmations.size
  }

  get unreachable(): readonly string[] {
    return this.#peers.unreachable
  }

  get deadline(): number | undefined {
    return earliest(this.#silentAt, this.#confirmations.deadline, this.#questions.deadline)
  }

  begin(now: number): void {
    this.#frames.reset()
    this.#silentAt = undefined
    this.#confirmations.clear()
    this.#questions.begin(now)
  }

  push(bytes: Uint8Array, now: number): Heard[] {
    this.#silentAt = now + (this.#frames.silence ?? 0)
    return this.#take(this.#frames.push(bytes), now)
  }

  expire(now: number): Heard[] {
    const heard: Heard[] = []
    if (this.#silentAt !== undefined && now >= this.#silentAt) {
      this.#silentAt = undefined
      heard.push(...this.#take(this.#frames.reset(), now))
    }
    heard.push(...lost('unconfirmed', this.#confirmations.expire(now)), ...this.#questions.expire(now))
    return heard
  }

  encode(message: Uint8Array, to: string | undefined, radius: number): Uint8Array | LinkError {
    if (to !== undefined && this.#receiver(to, 0) === undefined) return 'undelivered'
    const frame = this.#frame(0, { to, radius, message })
    this.#envelopes.set(frame, { to, radius, message })
    return frame
  }

  seal(frame: Uint8Array, now: number): Uint8Array {
    const envelope = this.#envelopes.get(frame)
    // nobody waits for the status of a message to all
    if (envelope?.to === undefined) return frame
    const id = this.#confirmations.nextId((one) => this.#questions.isAsking(one))
    this.#confirmations.begin(id, envelope.to, now)
    return this.#frame(id, envelope)
  }

  ownFrame(): Uint8Array | undefined {
    const question = this.#questions.ask(() =>
      this.#confirmations.nextId((one) => this.#questions.isAsking(one)),
    )
    return question && this.#frames.encode(atCommand(question.id, question.command))
  }

  #frame(id: number, { to, radius, message }: Envelope): Uint8Array {
    return this.#frames.encode(transmitRequest(id, this.#receiver(to, radius) ?? TO_ALL, message))
  }

  /** Modules of 802.15.4 have frames of their own kind: the old ones no others, later ones where they are set to. */
  #receiver(to: string | undefined, radius: number): ApiReceiver | undefined {
    const usual: Speech = this.#questions.isOld ? 'long' : 'network'
    return to === undefined ? { ...TO_ALL, speech: usual, radius } : this.#peers.receiverOf(to, usual)
  }

  #take(decoded: readonly Decoded[], now: number): Heard[] {
    return heardIn(decoded, (data) => {
      const frame = readApiFrame(data)
      return frame === undefined ? [noise(data, 'unknown-frame')] : this.#heard(frame, now)
    })
  }

  #heard(frame: ApiFrame, now: number): Heard[] {
    switch (frame.type) {
      case 'received':
        return this.#received(frame)
      case 'status': {
        const to = this.#confirmations.end(frame.id)
        if (to === undefined) return []
        this.#peers.noteDelivery(to, frame.delivery, frame.short)
        return frame.delivery === 0 ? [] : lost('undelivered', 1)
      }
      case 'answer':
        return this.#questions.answer(frame)
      case 'modem': {
        const level = 'info'
        const notice: Heard = { type: 'notice', level, text: modemText(frame.status) }
        if (!RESETS.has(frame.status)) return [notice]
        const waiting = this.#confirmations.clear()
        this.#questions.begin(now)
        return [notice, ...lost('undelivered', waiting)]
      }
      default:
        return []
    }
  }

  #received(frame: Extract<ApiFrame, { type: 'received' }>): Heard[] {
    const { payload: bytes, isBroadcast, rssi } = frame
    const from = addressOf(frame)
    if (from === undefined || !isWholeMessage(bytes)) return [noise(bytes)]
    this.#peers.note(from, frame)
    const signal = rssi === undefined ? undefined : { rssi }
    return [{ type: 'message', bytes, from, isBroadcast, signal }]
  }
}

const TO_ALL: ApiReceiver = { speech: 'network', long: undefined, short: undefined, radius: 0 }

/** The module begins anew, and has forgotten what it was given. */
const RESETS: ReadonlySet<number> = new Set([0x00, 0x01])

const MODEM: Readonly<Record<number, string>> = {
  0: 'it was reset',
  1: 'it was reset by its watchdog',
  2: 'it has joined its network',
  3: 'it has left its network',
  6: 'it has formed its network, as coordinator',
  7: 'the key of the network was changed',
  13: 'its supply voltage is too high',
  17: 'its settings were changed while it was joining',
}

const modemText = (status: number): string =>
  `XBee module: ${MODEM[status] ?? `status ${status.toString(16).padStart(2, '0')}`}`
