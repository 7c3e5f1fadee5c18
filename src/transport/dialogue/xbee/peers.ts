// The peers of an XBee module: under which addresses, how they were heard last, and whether they can be reached. Pure.

import type { ApiFrame, ApiReceiver, Speech } from './api.ts'

/** Peers that are remembered, the latest. One that is forgotten is spoken to as one never heard. */
const REMEMBERED = 2048
/** Failures in a row after which a peer counts as unreachable. */
const UNREACHABLE_AFTER = 5
/** No acknowledgement, no such address, no route; and no acknowledgement of 802.15.4. */
const ABSENT: ReadonlySet<number> = new Set([0x21, 0x24, 0x25, 0x01])

const ADDRESS = /^xbee\/(?:([0-9a-f]{16})|([0-9a-f]{4}))$/

interface Peer {
  /** undefined: it was only spoken to */
  speech: Speech | undefined
  short: number | undefined
  failures: number
}

/** What was received, as far as it says from whom. */
type Received = Extract<ApiFrame, { type: 'received' }>

/** The link address of a sender: its 64 bits, where it has told them; undefined for one without any address. */
export function addressOf({ long, short }: Pick<Received, 'long' | 'short'>): string | undefined {
  if (long !== undefined) return `xbee/${long}`
  return short === undefined ? undefined : `xbee/${short.toString(16).padStart(4, '0')}`
}

export class XbeePeers {
  readonly #known = new Map<string, Peer>()

  /** A frame came from there. */
  note(address: string, { speech, short }: Pick<Received, 'speech' | 'short'>): void {
    const peer = this.#remember(address)
    peer.speech = speech
    peer.short = short ?? peer.short
    peer.failures = 0
  }

  /** The last that was spoken of is the last in the map. */
  #remember(address: string): Peer {
    const peer = this.#known.get(address) ?? { speech: undefined, short: undefined, failures: 0 }
    this.#known.delete(address)
    this.#known.set(address, peer)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= REMEMBERED) break
      this.#known.delete(oldest)
    }
    return peer
  }

  /** How a message gets there; `otherwise`: how peers are spoken to that were not heard yet. Undefined: it is no address of XBee. */
  receiverOf(address: string, otherwise: Speech): ApiReceiver | undefined {
    const [, long, digits] = ADDRESS.exec(address) ?? []
    const peer = this.#known.get(address)
    if (long !== undefined) return { speech: peer?.speech ?? otherwise, long, short: peer?.short, radius: 0 }
    if (digits === undefined) return undefined
    const speech = peer?.speech ?? (otherwise === 'network' ? 'network' : 'short')
    return { speech, long: undefined, short: Number.parseInt(digits, 16), radius: 0 }
  }

  /** What became of a message: the status of the module, and the 16 bits under which it found the peer. */
  noteDelivery(address: string, delivery: number, short: number | undefined): void {
    const peer = this.#remember(address)
    if (delivery === 0) {
      peer.short = short ?? peer.short
      peer.failures = 0
    } else if (ABSENT.has(delivery)) {
      peer.failures += 1
      peer.short = undefined // it may have another one by now: the module finds that out
    } else peer.failures = 0
  }

  /** addresses of those that were not reached several times in a row */
  get unreachable(): string[] {
    return [...this.#known].flatMap(([address, { failures }]) =>
      failures < UNREACHABLE_AFTER ? [] : [address],
    )
  }
}
