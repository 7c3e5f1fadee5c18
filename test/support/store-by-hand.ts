// A store of records beside sessions that writes when the test says so: what was taken for a write is on the disk when that is over.

import { nameInSlot, placeOfName } from '../../src/store/asides.ts'
import type { AsideStore, SlotRecord } from '../../src/transport/secure-link.ts'

export class StoreByHand implements AsideStore {
  written = 0
  durable = 0
  /** what is on the disk, and what a process that starts now finds there */
  readonly asides = new Map<string, unknown>()
  readonly nameInSlot = nameInSlot
  readonly #pending = new Map<string, () => object | undefined>()
  #underWay: { readonly upTo: number; readonly records: [string, object | undefined][] } | undefined
  #waiting: { readonly upTo: number; readonly done: () => void }[] = []

  keepAside(name: string, record: () => object | undefined, lazy = false): void {
    this.#pending.set(name, record)
    if (!lazy) this.written += 1
  }

  onDurable(done: () => void): void {
    if (this.durable === this.written) process.nextTick(done)
    else this.#waiting.push({ upTo: this.written, done })
  }

  /** A write begins: with all that is to be written, as it is now. */
  begin(): void {
    const records = [...this.#pending].map(([name, record]): [string, object | undefined] => [name, record()])
    this.#pending.clear()
    this.#underWay = { upTo: this.written, records }
  }

  /** It is over. */
  finish(): void {
    const { upTo = this.durable, records = [] } = this.#underWay ?? {}
    for (const [name, record] of records) {
      if (record === undefined) this.asides.delete(name)
      else this.asides.set(name, record)
    }
    this.#underWay = undefined
    this.durable = upTo
    const due = this.#waiting.filter((one) => one.upTo <= upTo)
    this.#waiting = this.#waiting.filter((one) => one.upTo > upTo)
    for (const { done } of due) process.nextTick(done)
  }

  /** All that is to be written is on the disk. */
  write(): void {
    this.begin()
    this.finish()
  }

  /** Those on the disk that belong to these slots. */
  inSlots(slots: ReadonlySet<number>): SlotRecord[] {
    return [...this.asides].flatMap(([whole, record]) => {
      const [slot, name] = placeOfName(whole) ?? []
      return slot !== undefined && name !== undefined && slots.has(slot) ? [[slot, name, record]] : []
    })
  }
}
