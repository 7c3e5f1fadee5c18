// One kind of request to the gateway: one outstanding at a time [6.5, 6.6, 6.9], repeated until answered [6.13].

import type { Packet } from '../codec/v1/messages.ts'
import { SensorError } from './failure.ts'

/** Calls that may wait for their turn in one lane; more are refused, so that memory stays bounded. */
const LONGEST_QUEUE = 1000

/** What a received message means to a waiting request; undefined: nothing. */
export type Step<T> = { done: T } | { failed: SensorError } | { next: Packet } | undefined

/** A request: its first message, and how to read what comes back. */
export interface Request<T> {
  packet: Packet
  onReply(reply: Packet): Step<T>
  /** milliseconds until a repetition, instead of the sensor's tRetry */
  tRetry?: number
}

/** What a lane needs of its sensor. */
export interface LanePort {
  readonly tRetry: number
  readonly nRetry: number
  /** Throws SensorError when the message cannot be sent at all. */
  send(packet: Packet): void
}

interface Pending {
  request: Request<unknown>
  /** the message that waits for an answer now */
  packet: Packet
  sends: number
  resolve(value: unknown): void
  reject(error: SensorError): void
}

/** Requests of one kind, one after the other. */
export class Lane {
  readonly #port: LanePort
  readonly #onGiveUp: () => void
  readonly #waiting: Pending[] = []
  #current: Pending | undefined
  #timer: NodeJS.Timeout | undefined

  /** `onGiveUp` is called when the last repetition stayed unanswered, before the request is rejected. */
  constructor(port: LanePort, onGiveUp: () => void) {
    this.#port = port
    this.#onGiveUp = onGiveUp
  }

  /** How often the message that is outstanding now was sent; 0 = nothing is outstanding. */
  get sends(): number {
    return this.#current?.sends ?? 0
  }

  /** Sends the request when its turn has come; resolves as its `onReply` says, rejects with SensorError. */
  request<T>(request: Request<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= LONGEST_QUEUE) {
        reject(new SensorError('queue-full', `more than ${LONGEST_QUEUE} requests are waiting`))
        return
      }
      const settle = resolve as (value: unknown) => void
      this.#waiting.push({ request, packet: request.packet, sends: 0, resolve: settle, reject })
      if (this.#current === undefined) this.#startNext()
    })
  }

  /** Offers a received message; true if it was the answer that the outstanding request waits for. */
  receive(reply: Packet): boolean {
    const pending = this.#current
    const step = pending?.request.onReply(reply)
    if (pending === undefined || step === undefined) return false
    if ('next' in step) {
      pending.packet = step.next
      pending.sends = 0
      this.#transmit(pending)
    } else {
      this.#finish()
      if ('done' in step) pending.resolve(step.done)
      else pending.reject(step.failed)
      this.#startNext()
    }
    return true
  }

  /** Starts the retry timer again and forgives earlier silence: the gateway was just heard [6.14]. */
  touch(): void {
    if (this.#current === undefined) return
    this.#current.sends = 1
    this.#timer?.refresh()
  }

  /** Rejects everything outstanding and waiting. */
  fail(error: SensorError): void {
    const pending = this.#current
    this.#finish()
    pending?.reject(error)
    for (const next of this.#waiting.splice(0)) next.reject(error)
  }

  #startNext(): void {
    while (this.#current === undefined) {
      const pending = this.#waiting.shift()
      if (pending === undefined) return
      this.#current = pending
      this.#transmit(pending)
    }
  }

  #transmit(pending: Pending): void {
    clearTimeout(this.#timer)
    try {
      this.#port.send(pending.sends === 0 ? pending.packet : repetition(pending.packet))
    } catch (error) {
      this.#finish()
      pending.reject(error instanceof SensorError ? error : new SensorError('invalid', String(error)))
      return
    }
    pending.sends += 1
    this.#timer = setTimeout(() => this.#onSilence(pending), pending.request.tRetry ?? this.#port.tRetry)
  }

  #onSilence(pending: Pending): void {
    if (pending.sends <= this.#port.nRetry) {
      this.#transmit(pending)
      return
    }
    this.#finish()
    this.#onGiveUp()
    const message = `no answer to ${pending.packet.type.toUpperCase()}, sent ${pending.sends} times`
    pending.reject(new SensorError('timeout', message))
    this.#startNext()
  }

  #finish(): void {
    clearTimeout(this.#timer)
    this.#current = undefined
  }
}

/** DUP marks a repetition where the message has that flag; all else stays, the MsgId above all [5.3.4]. */
function repetition(packet: Packet): Packet {
  return packet.type === 'publish' || packet.type === 'subscribe' ? { ...packet, dup: true } : packet
}
