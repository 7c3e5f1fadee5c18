// Which worker a datagram is for. A sensor belongs to the worker that its ClientId stands for, wherever it moves; its
// address leads there as long as it has a connection. Strangers are spread by address.

import { decodeFrame, MsgType } from '../codec/v1/frame.ts'
import type { PeerKey } from '../session/peers.ts'
import { peerKey } from '../session/peers.ts'

const ENCAPSULATED = 0xfe
/** Whoever speaks for the whole gateway hears what is not about one sensor [6.1]. */
const SPEAKER = 0
const forSpeaker: ReadonlySet<number | undefined> = new Set([
  MsgType.searchgw,
  MsgType.advertise,
  MsgType.gwinfo,
])

/** Addresses from which a sensor has just named itself, and which its worker has not confirmed yet. */
const MOST_EXPECTED = 8192

/** An even spread, the same at every start (FNV-1a). */
export function shareOf(text: string, workers: number): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  // the lowest bits of this hash depend on those of the characters alone
  return ((hash ^ (hash >>> 15)) >>> 0) % workers
}

export class Routes {
  readonly #workers: number
  readonly #byPeer = new Map<PeerKey, number>()
  readonly #expected = new Map<PeerKey, number>()

  constructor(workers: number) {
    this.#workers = workers
  }

  /** The worker that a datagram is for. */
  of(listener: number, bytes: Uint8Array, address: string, port: number): number {
    const code = bytes[bytes[0] === 1 ? 3 : 1]
    if (code === MsgType.connect || code === MsgType.pingreq || code === ENCAPSULATED) {
      return this.#lookInto(listener, bytes, address, port)
    }
    if (forSpeaker.has(code)) return SPEAKER
    return this.#whoseIs(peerKey(listener, address, port, undefined), address)
  }

  #whoseIs(key: PeerKey, address: string): number {
    // one address, one worker: rates are limited per address
    return this.#byPeer.get(key) ?? this.#expected.get(key) ?? shareOf(address, this.#workers)
  }

  #lookInto(listener: number, bytes: Uint8Array, address: string, port: number): number {
    const { packet, nodeId } = decodeFrame(bytes)
    if ((packet.type === 'connect' || packet.type === 'pingreq') && packet.clientId !== null) {
      const worker = shareOf(packet.clientId, this.#workers)
      this.#expect(peerKey(listener, address, port, nodeId), worker)
      return worker
    }
    if (packet.type === 'searchgw') return SPEAKER
    return this.#whoseIs(peerKey(listener, address, port, nodeId), address)
  }

  /** What follows from there at once is for the same worker. */
  #expect(key: PeerKey, worker: number): void {
    if (this.#byPeer.has(key)) return
    this.#expected.delete(key) // the latest come last
    this.#expected.set(key, worker)
    for (const oldest of this.#expected.keys()) {
      if (this.#expected.size <= MOST_EXPECTED) break
      this.#expected.delete(oldest)
    }
  }

  /** The worker whose sensor is there. */
  ownerOf(key: PeerKey): number | undefined {
    return this.#byPeer.get(key)
  }

  /** A sensor of this worker is at this address now. Returns the worker that had another sensor there. */
  bind(key: PeerKey, worker: number): number | undefined {
    const before = this.#byPeer.get(key)
    this.#expected.delete(key)
    this.#byPeer.set(key, worker)
    return before === worker ? undefined : before
  }

  unbind(key: PeerKey, worker: number): void {
    if (this.#byPeer.get(key) === worker) this.#byPeer.delete(key)
  }
}
