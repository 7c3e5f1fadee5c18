// Finds the worker that a datagram is for. The ClientId that a sensor has at the broker decides which worker has it, wherever it
// moves, so that two that would be the same client there meet in one worker; its address leads to that worker while it has a
// connection. Strangers are spread by address.

import { peekMsgType, unwrapMessage } from '../codec/envelope.ts'
import { decodeFrame, MsgType } from '../codec/v1/frame.ts'
import { compileNames, type Naming } from '../gateway/rules/naming.ts'
import type { PeerKey } from '../session/peers.ts'
import { peerKey } from '../session/peers.ts'
import type { Remote } from '../transport/transport.ts'

/** The worker that speaks for the whole gateway gets what is not about one sensor [6.1]. */
const SPEAKER = 0
const forSpeaker: ReadonlySet<number> = new Set([MsgType.searchgw, MsgType.advertise, MsgType.gwinfo])

/** Addresses from which a sensor has just named itself, and which its worker has not confirmed yet. */
const MOST_EXPECTED = 8192

/** The worker, of so many, that a ClientId or an address stands for: spread evenly, and the same at every start (FNV-1a). */
export function workerOfName(text: string, workers: number): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  // The lowest bits of this hash depend on the lowest bits of the characters alone.
  return ((hash ^ (hash >>> 15)) >>> 0) % workers
}

/**
 * The worker of each sensor, the same in all threads. `naming` is that of the start: while the gateway runs, no session can move to
 * another worker.
 */
export function createOwners(naming: Naming, workers: number): (clientId: string) => number {
  const nameAtBroker = compileNames(naming)
  return (clientId) => workerOfName(nameAtBroker(clientId), workers)
}

export class Routes {
  readonly #workers: number
  readonly #ownerOf: (clientId: string) => number
  readonly #byPeer = new Map<PeerKey, number>()
  readonly #expected = new Map<PeerKey, number>()

  /** `ownerOf`: the worker of a sensor */
  constructor(workers: number, ownerOf: (clientId: string) => number) {
    this.#workers = workers
    this.#ownerOf = ownerOf
  }

  /** The number of the worker that a datagram is for. */
  workerOf(listener: number, bytes: Uint8Array, { address, port, association }: Remote): number {
    const type = peekMsgType(bytes)
    if (type !== undefined && forSpeaker.has(type)) return SPEAKER
    const key = peerKey(listener, address, port, unwrapMessage(bytes)?.nodeId, association)
    if (type === MsgType.connect || type === MsgType.pingreq) {
      const { packet } = decodeFrame(bytes)
      if ((packet.type === 'connect' || packet.type === 'pingreq') && packet.clientId !== null) {
        const worker = this.#ownerOf(packet.clientId)
        this.#expect(key, worker)
        return worker
      }
    }
    // A rate per address is counted by one worker, therefore strangers of one address have the same.
    return (
      this.#byPeer.get(key) ??
      this.#expected.get(key) ??
      workerOfName(association?.identity ?? address, this.#workers)
    )
  }

  /** The datagrams that follow from this address before the worker confirms it are for the same worker. */
  #expect(key: PeerKey, worker: number): void {
    if (this.#byPeer.has(key)) return
    this.#expected.delete(key) // so that the newest entry is the last
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

  /** A sensor of this worker is at this address now. Returns the other worker that had a sensor there. */
  bind(key: PeerKey, worker: number): number | undefined {
    const before = this.#byPeer.get(key)
    this.#expected.delete(key)
    this.#byPeer.set(key, worker)
    return before === worker ? undefined : before
  }

  /** No sensor of this worker is at this address any more. */
  unbind(key: PeerKey, worker: number): void {
    if (this.#byPeer.get(key) === worker) this.#byPeer.delete(key)
  }
}
