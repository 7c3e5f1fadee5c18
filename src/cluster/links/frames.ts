// Frames on the link between two nodes: the length of the body, a type, the body. Pure.

/** What a frame is. `forward`, `relay`, `answer` and `onward` are batches of datagrams; all others are seldom. */
export const FrameType = {
  greeting: 1,
  proof: 2,
  /** from sensors, for the node that serves them */
  forward: 3,
  /** the same, from a node that does not serve them any more: it is not passed on again */
  relay: 4,
  /** to sensors, for the node that they came through */
  answer: 5,
  /** how many datagrams have been taken so far, modulo 2^32 */
  taken: 6,
  /** JSON */
  message: 7,
  ping: 8,
  pong: 9,
  /** the last word of who will not have this connection: why, as text */
  refusal: 10,
  /** as `answer`, from a node that does not have their sessions of DTLS any more: it is not passed on again */
  onward: 11,
} as const

export type FrameType = (typeof FrameType)[keyof typeof FrameType]

/** Octets in front of a body. */
export const FRAME_HEADER = 5

/** Octets that a body may have: before the other side has shown who it is, and after. */
export const LONGEST_GREETING = 16_384
export const LONGEST_BODY = 1_048_576

/** What stands in front of a body of so many octets. */
export function frameHeader(type: FrameType, length: number): Uint8Array {
  const header = new Uint8Array(FRAME_HEADER)
  new DataView(header.buffer).setUint32(0, length)
  header[4] = type
  return header
}

/** Takes one frame; `body` may be a view into what was pushed. */
export type OnFrame = (type: number, body: Uint8Array) => void

/** Finds the frames in a stream, however it is cut; one for each connection. */
export class FrameReader {
  /** octets that a body may have */
  longest: number
  readonly #onFrame: OnFrame
  readonly #header = new Uint8Array(FRAME_HEADER)
  #headerOctets = 0
  #body: Uint8Array | undefined
  #bodyOctets = 0

  constructor(longest: number, onFrame: OnFrame) {
    this.longest = longest
    this.#onFrame = onFrame
  }

  /** Takes the next octets of the stream; false: a frame is longer than any may be, and nothing that follows can be understood. */
  push(chunk: Uint8Array): boolean {
    let at = 0
    while (at < chunk.length) {
      if (this.#body === undefined) {
        const whole = this.#headerOctets === 0 ? endOfFrame(chunk, at) : undefined
        if (whole !== undefined && whole <= chunk.length) {
          if (whole - at - FRAME_HEADER > this.longest) return false
          this.#onFrame(chunk[at + 4] ?? 0, chunk.subarray(at + FRAME_HEADER, whole))
          at = whole
          continue
        }
        at = this.#readHeader(chunk, at)
        if (this.#headerOctets < FRAME_HEADER) return true
        const length = endOfFrame(this.#header, 0, 0) ?? 0
        if (length > this.longest) return false
        this.#body = new Uint8Array(length)
        this.#bodyOctets = 0
      }
      at = this.#readBody(this.#body, chunk, at)
    }
    return true
  }

  #readHeader(chunk: Uint8Array, from: number): number {
    let at = from
    while (this.#headerOctets < FRAME_HEADER && at < chunk.length) {
      this.#header[this.#headerOctets] = chunk[at] ?? 0
      this.#headerOctets += 1
      at += 1
    }
    return at
  }

  #readBody(body: Uint8Array, chunk: Uint8Array, at: number): number {
    const part = chunk.subarray(at, at + body.length - this.#bodyOctets)
    body.set(part, this.#bodyOctets)
    this.#bodyOctets += part.length
    if (this.#bodyOctets === body.length) {
      this.#body = undefined
      this.#headerOctets = 0
      this.#onFrame(this.#header[4] ?? 0, body)
    }
    return at + part.length
  }
}

/** Where a frame ends that begins at `at`, if its header is there. `header`: octets that are counted in front of its body. */
function endOfFrame(octets: Uint8Array, at: number, header = FRAME_HEADER): number | undefined {
  if (at + FRAME_HEADER > octets.length) return undefined
  const view = new DataView(octets.buffer, octets.byteOffset)
  return at + header + view.getUint32(at)
}
