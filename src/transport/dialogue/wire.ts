// The simplest dialogue: one peer at the other end of a wire, each frame is a message, nothing is confirmed. A forwarder there
// speaks for many, whose ids are in the messages [5.5]. Pure.

import type { Framing } from '../framing/decoded.ts'
import { isWholeMessage } from '../framing/length.ts'
import type { Dialogue, Heard } from './dialogue.ts'

/** Speaks on a wire in this framing; `longest`: octets of the longest message. */
export const createWire = (framing: Framing, longest: number): Dialogue => new Wire(framing, longest)

class Wire implements Dialogue {
  readonly isReady = true
  readonly unconfirmed = 0
  readonly unreachable = []
  readonly longest = undefined
  readonly longestFrame: number
  deadline: number | undefined
  readonly #framing: Framing

  constructor(framing: Framing, longest: number) {
    this.#framing = framing
    this.longestFrame = 2 * longest + 8
  }

  begin(): void {
    this.#framing.reset()
    this.deadline = undefined
  }

  push(bytes: Uint8Array, now: number): Heard[] {
    const { silence } = this.#framing
    if (silence !== undefined) this.deadline = now + silence
    return this.#framing.push(bytes).map(heardOf)
  }

  expire(now: number): Heard[] {
    if (this.deadline === undefined || now < this.deadline) return []
    this.deadline = undefined
    return this.#framing.reset().map(heardOf)
  }

  /** A wire has one node: everybody. */
  encode(message: Uint8Array): Uint8Array {
    return this.#framing.encode(message)
  }

  seal(frame: Uint8Array): Uint8Array {
    return frame
  }

  ownFrame(): undefined {
    return undefined
  }
}

function heardOf(one: ReturnType<Framing['push']>[number]): Heard {
  if (one.fault !== undefined) return { type: 'lost', reason: one.fault, octets: one.octets }
  if (!isWholeMessage(one.frame)) return { type: 'lost', reason: 'noise', octets: one.frame }
  return { type: 'message', bytes: one.frame }
}
