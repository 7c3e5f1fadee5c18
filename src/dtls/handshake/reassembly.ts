// Puts the fragments of messages together, and the messages in order [6347 4.2.2, 4.2.3], within bounds on what may wait.

import { type Failure, protocolFailure } from '../failure.ts'
import { type Fragment, type Message, writeMessage } from './messages.ts'

/** What one peer may make us keep. */
const MOST_AHEAD = 8
const LONGEST_MESSAGE = 8192
const MOST_WAITING = 16_384

interface Waiting {
  readonly type: number
  readonly body: Uint8Array
  /** parts that have come, [from, to), in order, neither touching nor overlapping */
  parts: (readonly [from: number, to: number])[]
}

/** `repeated` = of a message that was handled before; `ignored` = too far ahead. */
export type Added = 'waits' | 'repeated' | 'ignored' | Failure

export class Reassembly {
  /** the message_seq that is handled next */
  nextSeq: number
  readonly #waiting = new Map<number, Waiting>()
  #octets = 0

  constructor(nextSeq: number) {
    this.nextSeq = nextSeq
  }

  add({ type, length, messageSeq, offset, body }: Fragment): Added {
    if (messageSeq < this.nextSeq) return 'repeated'
    if (messageSeq >= this.nextSeq + MOST_AHEAD) return 'ignored'
    if (offset + body.length > length)
      return protocolFailure('illegal_parameter', 'a fragment reaches beyond the end of its message')
    if (length > LONGEST_MESSAGE)
      return protocolFailure('illegal_parameter', `a handshake message has ${length} octets`)
    let waiting = this.#waiting.get(messageSeq)
    if (waiting === undefined) {
      if (body.length === 0 && length > 0) return 'waits'
      if (this.#octets + length > MOST_WAITING) return 'ignored'
      waiting = { type, body: new Uint8Array(length), parts: [] }
      this.#octets += length
      this.#waiting.set(messageSeq, waiting)
    } else if (waiting.type !== type || waiting.body.length !== length) {
      return protocolFailure('illegal_parameter', 'fragments of one message do not belong together')
    }
    addPart(waiting, offset, body)
    return 'waits'
  }

  /** The next message in order, once it is whole. */
  take(): Message | undefined {
    const waiting = this.#waiting.get(this.nextSeq)
    if (waiting === undefined || !isWhole(waiting)) return undefined
    this.#waiting.delete(this.nextSeq)
    this.#octets -= waiting.body.length
    const { type, body } = waiting
    const messageSeq = this.nextSeq++
    return { type, messageSeq, body, bytes: writeMessage(type, messageSeq, body) }
  }
}

const isWhole = ({ body, parts }: Waiting): boolean =>
  body.length === 0 || (parts.length === 1 && parts[0]?.[0] === 0 && parts[0][1] === body.length)

/** What has come once stays as it came: a later fragment over the same place changes nothing. */
function addPart(waiting: Waiting, offset: number, octets: Uint8Array): void {
  const [from, to] = [offset, offset + octets.length]
  if (from === to) return
  const parts: (readonly [number, number])[] = []
  let [start, end] = [from, to]
  let at = from
  for (const part of waiting.parts) {
    if (part[1] < start || part[0] > end) {
      parts.push(part)
      continue
    }
    if (part[0] > at) fill(waiting.body, octets, offset, at, Math.min(part[0], to))
    at = Math.max(at, part[1])
    start = Math.min(start, part[0])
    end = Math.max(end, part[1])
  }
  if (at < to) fill(waiting.body, octets, offset, at, to)
  parts.push([start, end])
  waiting.parts = parts.sort(([a], [b]) => a - b)
}

function fill(body: Uint8Array, octets: Uint8Array, offset: number, from: number, to: number): void {
  body.set(octets.subarray(from - offset, to - offset), from)
}
