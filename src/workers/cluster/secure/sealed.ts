// Datagrams of DTLS as they are on the wire: they go to the node that has their session. One with a connection id finds it by the slot in
// that; of one without, the address is all that is known.

import { beginsInPlain, slotInDatagram, slotOfNumber } from '../../../dtls/slots.ts'
import type { BoundListener } from '../../../gateway/datagrams/listener.ts'
import type { PeerKey } from '../../../session/peers.ts'
import { slotOfName } from '../../../sessions/slots.ts'
import type { Remote } from '../../../transport/transport.ts'

/** Whether nobody has opened it yet: what a session of DTLS has opened carries an association. */
export const isSealed = ({ transport }: BoundListener, { association }: Remote): boolean =>
  transport.secure !== undefined && association === undefined

/**
 * The slot whose node takes it. A handshake that cannot begin where it came in, since nothing is served there, is for whoever serves
 * the slot that its address stands for.
 */
export const slotNamed = (bytes: Uint8Array, { address }: Remote): number | undefined =>
  beginsInPlain(bytes) ? slotOfName(address) : slotInDatagram(bytes)

/** A session that is known by its address alone. */
export interface Addressed {
  /** number of the listener */
  readonly listener: number
  readonly at: Remote
  readonly session: number
}

/** Where sessions are that have no connection id, by their addresses. */
export class SealedAddresses {
  readonly #sessions = new Map<PeerKey, Addressed>()

  get(key: PeerKey): Addressed | undefined {
    return this.#sessions.get(key)
  }

  slotAt(key: PeerKey): number | undefined {
    const one = this.#sessions.get(key)
    return one && slotOfNumber(one.session)
  }

  note(key: PeerKey, one: Addressed): void {
    this.#sessions.set(key, one)
  }

  /** That session is not there any more; false: it was not, as another one is. */
  forget(key: PeerKey, session: number): boolean {
    return this.#sessions.get(key)?.session === session && this.#sessions.delete(key)
  }
}
