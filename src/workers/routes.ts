// Finds the worker that a datagram is for. The ClientId that a sensor has at the broker decides its slot, wherever it moves, so that
// two that would be the same client there meet in one worker; its address leads to that slot while it has a connection. A table
// says who serves a slot. Strangers are spread by address.

import { peekMsgType, unwrapMessage } from '../codec/envelope.ts'
import type { PeerKey } from '../session/peers.ts'
import { peerKey } from '../session/peers.ts'
import { clientIdIn, isAboutGateways } from '../sessions/ownership/addressee.ts'
import { allSlots, slotOfName, workerOfSlot } from '../sessions/slots.ts'
import type { Remote } from '../transport/transport.ts'

/** Whoever serves this slot speaks for the whole gateway, and gets what is not about one sensor [6.1]. */
const SPEAKER = 0

/** Addresses from which a sensor has just named itself, and which its worker has not confirmed yet. */
const MOST_EXPECTED = 8192

export class Routes {
  readonly #slotOf: (clientId: string) => number
  /** who serves each slot */
  readonly #workers: readonly number[]
  /** slots and not workers: who serves a slot may change, and this stays true */
  readonly #byPeer = new Map<PeerKey, number>()
  readonly #expected = new Map<PeerKey, number>()

  /** `slotOf`: the slot of a sensor */
  constructor(workers: number, slotOf: (clientId: string) => number) {
    this.#slotOf = slotOf
    this.#workers = allSlots.map((slot) => workerOfSlot(slot, workers))
  }

  /** The slot that a datagram is for; of a stranger, the one that its address stands for. */
  slotFor(listener: number, bytes: Uint8Array, { address, port, association }: Remote): number {
    const type = peekMsgType(bytes)
    if (isAboutGateways(type)) return SPEAKER
    const key = peerKey(listener, address, port, unwrapMessage(bytes)?.nodeId, association)
    const clientId = clientIdIn(bytes, type)
    if (clientId !== undefined) {
      const slot = this.#slotOf(clientId)
      this.#expect(key, slot)
      return slot
    }
    // A rate per address is counted by one worker, therefore strangers of one address have the same.
    return this.slotAt(key) ?? slotOfName(association?.identity ?? address)
  }

  /** The slot of the sensor at an address, as far as that is known. */
  slotAt(key: PeerKey): number | undefined {
    return this.#byPeer.get(key) ?? this.#expected.get(key)
  }

  /** The same, of a sensor that its worker has there. */
  boundAt(key: PeerKey): number | undefined {
    return this.#byPeer.get(key)
  }

  /** The number of the worker that serves a slot. */
  workerOf(slot: number): number {
    return this.#workers[slot] ?? 0
  }

  /** The datagrams that follow from this address before the worker confirms it are for the same slot. */
  #expect(key: PeerKey, slot: number): void {
    if (this.#byPeer.has(key)) return
    this.#expected.delete(key) // so that the newest entry is the last
    this.#expected.set(key, slot)
    for (const oldest of this.#expected.keys()) {
      if (this.#expected.size <= MOST_EXPECTED) break
      this.#expected.delete(oldest)
    }
  }

  /** The worker whose sensor is there. */
  ownerOf(key: PeerKey): number | undefined {
    const slot = this.#byPeer.get(key)
    return slot === undefined ? undefined : this.workerOf(slot)
  }

  /** A sensor of this slot is at this address now. Returns the other worker that had a sensor there. */
  bind(key: PeerKey, slot: number): number | undefined {
    const before = this.ownerOf(key)
    this.#expected.delete(key)
    this.#byPeer.set(key, slot)
    return before === this.workerOf(slot) ? undefined : before
  }

  /** No sensor of this worker is at this address any more. `goesOn`: it is, but somebody else is to serve its slot. */
  unbind(key: PeerKey, worker: number, goesOn: (slot: number) => boolean = () => false): void {
    const slot = this.#byPeer.get(key)
    if (slot === undefined || this.workerOf(slot) !== worker) return
    this.#byPeer.delete(key)
    if (goesOn(slot)) this.#expect(key, slot)
  }
}
