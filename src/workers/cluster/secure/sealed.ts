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

/** Where sessions are that have no connection id, by their addresses. */
export class SealedAddresses {
  readonly #sessions = new Map<PeerKey, number>()

  slotAt(key: PeerKey): number | undefined {
    const session = this.#sessions.get(key)
    return session === undefined ? undefined : slotOfNumber(session)
  }

  note(key: PeerKey, session: number): void {
    this.#sessions.set(key, session)
  }

  /** That session is not there any more; false: it was not, as another one is. */
  forget(key: PeerKey, session: number): boolean {
    return this.#sessions.get(key) === session && this.#sessions.delete(key)
  }

  /** Another node has a newer one there; false: there is none here. */
  displace(key: PeerKey): boolean {
    return this.#sessions.delete(key)
  }
}
