// Frames of XBee modules and LoRaLink modems as the modem itself reads and writes them: 7E, length, data, sum. Pure, and on purpose
// not the code of the gateway: two opinions on the same frames.

/** AP=1: octets as they are; AP=2: some are escaped. */
export type FrameMode = 1 | 2

const mustEscape = (octet: number): boolean =>
  octet === 0x7e || octet === 0x7d || octet === 0x11 || octet === 0x13

/** The octets of a frame with this data; `extra`: what the length counts besides. */
export function writeFrame(data: readonly number[], mode: FrameMode, extra = 0): Uint8Array {
  const sum = 0xff - (data.reduce((a, b) => a + b, 0) & 0xff)
  const length = data.length + extra
  const inner = [length >> 8, length & 0xff, ...data, sum]
  const escaped = mode === 1 ? inner : inner.flatMap((o) => (mustEscape(o) ? [0x7d, o ^ 0x20] : [o]))
  return Uint8Array.from([0x7e, ...escaped])
}

/** Reads a stream of frames; gives the data of each, and drops what is none. */
export class FrameReader {
  readonly #mode: FrameMode
  readonly #extra: number
  #octets: number[] | undefined
  #turned = false

  constructor(mode: FrameMode, extra = 0) {
    this.#mode = mode
    this.#extra = extra
  }

  push(bytes: Uint8Array): number[][] {
    const frames: number[][] = []
    for (const octet of bytes) {
      if (octet === 0x7e && (this.#mode === 2 || this.#octets === undefined)) {
        this.#octets = []
        this.#turned = false
        continue
      }
      if (this.#octets === undefined) continue
      if (this.#mode === 2 && octet === 0x7d) {
        this.#turned = true
        continue
      }
      this.#octets.push(this.#turned ? octet ^ 0x20 : octet)
      this.#turned = false
      const [high = 0, low = 0] = this.#octets
      const length = high * 256 + low - this.#extra
      if (this.#octets.length < length + 3) continue
      const data = this.#octets.slice(2, 2 + length)
      const sum = data.reduce((a, b) => a + b, 0) + (this.#octets[2 + length] ?? 0)
      if ((sum & 0xff) === 0xff) frames.push(data)
      this.#octets = undefined
    }
    return frames
  }
}
