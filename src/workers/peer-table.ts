// The sessions' table of addresses, which tells what is put into it: the receiving thread must know who is where.

import type { PeerKey } from '../session/peers.ts'
import type { Session } from '../session/session.ts'
import type { Binding } from './messages.ts'

export class PeerTable extends Map<PeerKey, Session> {
  readonly #slotOf: (clientId: string) => number
  #bound: Binding[] = []
  #unbound: PeerKey[] = []
  /** called when there is something to tell */
  onChange: () => void = () => {}

  /** `slotOf`: the slot of a sensor */
  constructor(slotOf: (clientId: string) => number) {
    super()
    this.#slotOf = slotOf
  }

  override set(key: PeerKey, session: Session): this {
    if (super.get(key) !== session) {
      const { clientId, peer } = session
      this.#bound.push({ key, clientId, slot: this.#slotOf(clientId), local: peer?.local })
      this.onChange()
    }
    return super.set(key, session)
  }

  override delete(key: PeerKey): boolean {
    const was = super.delete(key)
    if (was) {
      // the other thread applies what is unbound before what is bound, so a binding from before this is dropped
      this.#bound = this.#bound.filter((binding) => binding.key !== key)
      this.#unbound.push(key)
      this.onChange()
    }
    return was
  }

  /** What has changed since the last call: `unbound` before `bound`. */
  take(): { bound: readonly Binding[]; unbound: readonly PeerKey[] } {
    const changes = { bound: this.#bound, unbound: this.#unbound }
    this.#bound = []
    this.#unbound = []
    return changes
  }
}
