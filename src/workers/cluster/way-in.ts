// The way in of a sensor: the node whose socket its last datagram came in by. It stands behind the gateway's own address that the sensor
// speaks to, so that sessions carry it, and store it, without knowing of it; and it changes as that address does, at no cost.

import type { Remote } from '../../transport/transport.ts'

/** The gateway's own address, if there is one, and the node that has it. */
export interface WayIn {
  readonly local: string | undefined
  /** '' where none is named */
  readonly node: string
}

/** More than there are nodes and addresses of theirs. */
const MOST = 4096

// of 8 bits a letter, as batches have them
const eightBits = (name: string): string => Buffer.from(name, 'utf8').toString('latin1')
const name = (letters: string): string => Buffer.from(letters, 'latin1').toString('utf8')

/** Writes and reads ways in; the same text gives the same object. */
export class WaysIn {
  readonly #texts = new Map<string, string>()
  readonly #read = new Map<string, WayIn>()
  readonly #self: string

  /** `self`: the name of this node */
  constructor(self: string) {
    this.#self = eightBits(self)
  }

  /** What stands for one of this node's own addresses. */
  own(local = ''): string {
    const known = this.#texts.get(local)
    if (known !== undefined) return known
    const text = `${local} ${this.#self}`
    if (this.#texts.size >= MOST) this.#texts.clear()
    this.#texts.set(local, text)
    return text
  }

  /**
   * Where something came from that has come in here. What a session of DTLS has opened comes from this node, whichever the sensor has spoken
   * to.
   */
  arrival({ address, port, local, association }: Remote): Remote {
    return { address, port, local: this.own(association === undefined ? local : undefined), association }
  }

  read(text: string | undefined): WayIn {
    if (text === undefined) return { local: undefined, node: '' }
    const known = this.#read.get(text)
    if (known !== undefined) return known
    const end = text.indexOf(' ')
    const local = end === -1 ? text : text.slice(0, end)
    const way = { local: local === '' ? undefined : local, node: end === -1 ? '' : name(text.slice(end + 1)) }
    if (this.#read.size >= MOST) this.#read.clear()
    this.#read.set(text, way)
    return way
  }
}
