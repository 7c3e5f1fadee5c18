// Links of the front that have sessions of their own: those end here, and this thread keeps them in the store. Of several nodes each has the
// sessions of the slots that it serves.

import type { Config } from '../config/schema.ts'
import type { BoundListener } from '../gateway/datagrams/listener.ts'
import { AssociationUse } from '../gateway/dtls/association-use.ts'
import { openStore, secureNames } from '../gateway/open-store.ts'
import type { Log } from '../log.ts'
import type { Leaving } from '../sessions/ownership/let-go.ts'
import type { SlotStates } from '../sessions/ownership/slot-states.ts'
import type { SlotAside } from '../store/asides.ts'
import { Pace } from '../store/pace.ts'
import { everything, type Incarnation } from '../store/part.ts'
import type { Store } from '../store/store.ts'
import { dropForeignInSlot, dropForeignRecords } from '../transport/dtls/session-records.ts'
import type { SecureLink } from '../transport/secure-link.ts'
import type { SlotRouter } from './cluster/slot-router.ts'

interface FrontSecurityParts {
  /** the number of this thread among those that write */
  readonly index: number
  readonly states: SlotStates
  listeners(): Iterable<BoundListener>
}

export class FrontSecurity {
  /** where DTLS ends, by the names of listeners */
  readonly links = new Map<string, SecureLink>()
  readonly use: AssociationUse
  readonly #parts: FrontSecurityParts
  #store: Store | undefined
  #isShared = false
  /** of the links */
  #names: readonly string[] = []
  /** slots that are to be served here, each by the call that takes it up */
  readonly #wanted = new Map<number, object>()

  constructor(parts: FrontSecurityParts) {
    this.#parts = parts
    this.use = new AssociationUse((wanted, number, inUse) => {
      for (const [index, link] of this.#links()) if (index === wanted) link.setInUse(number, inUse)
    })
  }

  /** These links begin to serve. `router`: with those of other nodes, and with the sessions of slots that are taken up later. */
  async begin(
    config: Config,
    log: Log,
    { taken, router }: { readonly taken: Incarnation | undefined; readonly router: SlotRouter | undefined },
  ): Promise<void> {
    const names = secureNames(config)
    const { index, states } = this.#parts
    this.#isShared = router !== undefined
    this.#names = names
    if (names.length > 0 && config.store.type !== 'memory') {
      const part = { ...everything, index, owns: () => false, isBeside: true, taken } as const
      this.#store = await openStore(config, log, () => 0, part)
      dropForeignRecords(this.#store, names)
    }
    for (const one of this.#parts.listeners())
      one.transport.secure?.begin(this.#store, router?.sealed.sharingOf(one, router, states))
  }

  /** The sessions of these slots are to be served here. */
  async takeUp(slots: readonly number[]): Promise<void> {
    if (this.#store === undefined || !this.#isShared || slots.length === 0) return
    const call = {}
    for (const slot of slots) this.#wanted.set(slot, call)
    const all = new Set(slots)
    // what could not be written when they were let go comes first: numbers that it reserves are in records which may still leave
    await this.#store.release(all)
    const bySlot = new Map<number, SlotAside[]>()
    for (const record of await this.#store.loadAsides(all)) {
      const records = bySlot.get(record[0])
      if (records === undefined) bySlot.set(record[0], [record])
      else records.push(record)
    }
    const pace = new Pace()
    for (const slot of slots) {
      if (pace.isOver()) await pace.next()
      // meanwhile others may be to have it after all; and if it has come back since, what was read is no longer true
      if (this.#wanted.get(slot) === call) this.#takeUpSlot(slot, bySlot.get(slot) ?? [])
    }
  }

  #takeUpSlot(slot: number, records: readonly SlotAside[]): void {
    const wanted = new Set([slot])
    if (this.#store !== undefined) dropForeignInSlot(this.#store, records, this.#names)
    for (const [index, secure] of this.#links()) {
      for (const number of secure.takeUp(wanted, records))
        if (this.use.has(index, number)) secure.setInUse(number, true)
    }
  }

  /** Others are to serve them; resolves when they can. Rejects if the store cannot be written: then nobody has them. */
  async letGo(slots: readonly number[], how: Leaving): Promise<void> {
    if (this.#store === undefined || !this.#isShared || how === 'deposed') return
    const unwanted = new Set(slots)
    for (const slot of slots) this.#wanted.delete(slot)
    for (const [, secure] of this.#links()) secure.letGo(unwanted)
    await this.#store.release(unwanted)
  }

  async close(): Promise<void> {
    await this.#store?.close()
  }

  *#links(): Iterable<readonly [index: number, link: SecureLink]> {
    for (const { index, transport } of this.#parts.listeners())
      if (transport.secure !== undefined) yield [index, transport.secure]
  }
}
