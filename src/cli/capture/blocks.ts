// Cuts a growing pcapng capture at its blocks, so that a file of it is whole whenever the stream ends.

import { LiveError } from '../running/api.ts'
import { ExitCode } from '../terminal/terminal.ts'

const SECTION_HEADER = 0x0a0d0d0a
const ENHANCED_PACKET = 6
/** A datagram with all that is around it is far shorter. */
const LONGEST_BLOCK = 256 * 1024

/** Takes pieces of a capture and gives back whole blocks. */
export class BlockSplitter {
  /** how many have been given back */
  packets = 0
  octets = 0
  readonly #most: number
  #rest: Buffer = Buffer.alloc(0)

  /** Gives back so many packets and then nothing. */
  constructor(most = Number.POSITIVE_INFINITY) {
    this.#most = most
  }

  /** that there is nothing more to come */
  get full(): boolean {
    return this.packets >= this.#most
  }

  /** All blocks that end in this piece. Throws LiveError for what is no capture of a gateway. */
  push(piece: Uint8Array): Uint8Array {
    const bytes = Buffer.concat([this.#rest, piece])
    let end = 0
    while (bytes.length - end >= 12 && !this.full) {
      const type = bytes.readUInt32LE(end)
      const length = bytes.readUInt32LE(end + 4)
      const strange =
        length < 12 || length > LONGEST_BLOCK || (this.octets + end === 0 && type !== SECTION_HEADER)
      if (strange) throw new LiveError(ExitCode.noAnswer, 'what came is no capture of a gateway')
      if (length > bytes.length - end) break
      if (type === ENHANCED_PACKET) this.packets += 1
      end += length
    }
    this.#rest = bytes.subarray(end)
    this.octets += end
    return bytes.subarray(0, end)
  }
}
