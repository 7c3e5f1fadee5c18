// Flights [6347 4.2.4]: what is sent together, cut to datagrams, and the times at which it is repeated.

import type { Channel } from '../record/channel.ts'
import { CHANGE_CIPHER_SPEC, HANDSHAKE, HEADER_LENGTH } from '../record/record.ts'
import { cutMessage, MESSAGE_HEADER } from './messages.ts'

/** A whole handshake message in its epoch, or a ChangeCipherSpec. */
export type FlightPart = { readonly epoch: 0 | 1; readonly message: Uint8Array } | 'change-cipher-spec'

/** Fragments smaller than this are not worth their headers: the next datagram begins. */
const SMALLEST_FRAGMENT = 32
const CHANGE = Uint8Array.of(1)

export interface FlightLimits {
  /** octets of a datagram */
  readonly mtu: number
  /** octets of a record's plaintext [6066 4] */
  readonly plaintext: number
}

/** The datagrams of a flight: new record numbers with every call, the same messages. */
export function packFlight(
  parts: readonly FlightPart[],
  channel: Channel,
  { mtu, plaintext }: FlightLimits,
): Uint8Array[] {
  const datagrams: Uint8Array[] = []
  let records: Uint8Array[] = []
  let used = 0
  const flush = () => {
    if (records.length > 0) datagrams.push(joined(records, used))
    records = []
    used = 0
  }
  const put = (record: Uint8Array) => {
    records.push(record)
    used += record.length
  }
  for (const part of parts) {
    if (part === 'change-cipher-spec') {
      if (used + HEADER_LENGTH + CHANGE.length > mtu) flush()
      put(channel.write(0, CHANGE_CIPHER_SPEC, CHANGE))
      continue
    }
    const { epoch, message } = part
    const length = message.length - MESSAGE_HEADER
    let offset = 0
    let isWritten = false
    while (!isWritten) {
      const overhead = channel.overhead(epoch) + MESSAGE_HEADER
      const left = length - offset
      const room = Math.min(mtu - used - overhead, plaintext - MESSAGE_HEADER)
      if (used > 0 && room < Math.min(left, SMALLEST_FRAGMENT)) {
        flush()
        continue
      }
      const count = Math.min(left, Math.max(room, 1))
      put(channel.write(epoch, HANDSHAKE, cutMessage(message, offset, count)))
      offset += count
      isWritten = offset === length
    }
  }
  flush()
  return datagrams
}

function joined(records: readonly Uint8Array[], length: number): Uint8Array {
  const [first] = records
  if (records.length === 1 && first !== undefined) return first
  const datagram = new Uint8Array(length)
  let at = 0
  for (const record of records) {
    datagram.set(record, at)
    at += record.length
  }
  return datagram
}

const LONGEST_PAUSE = 60_000

/** When a flight is sent again: after the first pause, then each time after twice as long, at most a minute. */
export class Repetition {
  readonly #firstPause: number
  #pause: number
  /** monotonic milliseconds */
  at: number

  constructor(now: number, firstPause: number) {
    this.#firstPause = firstPause
    this.#pause = firstPause
    this.at = now + firstPause
  }

  /** For another flight. */
  restart(now: number): void {
    this.#pause = this.#firstPause
    this.at = now + this.#firstPause
  }

  /** After one repetition. */
  postpone(now: number): void {
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE)
    this.at = now + this.#pause
  }
}
