// Records beside sessions: what else has to outlive the process, by names. They are written with the next group, as they are then.

/** A name, and its record as it is when it is written; undefined deletes. */
export type AsideRecord = readonly [name: string, record: () => object | undefined]

/** A record that belongs to a slot, by the name that it has there. */
export type SlotAside = readonly [slot: number, name: string, record: unknown]

const IN_SLOT = /^@(\d+) (.*)$/s

/** The first word of the names of all records in a slot. */
export const markOfSlot = (slot: number): string => `@${slot}`

/** The name of a record that belongs to a slot: whoever serves the slot has it. Names of others never begin like that. */
export const nameInSlot = (slot: number, name: string): string => `${markOfSlot(slot)} ${name}`

/** The slot and the name there; undefined for a record that belongs to no slot. */
export function placeOfName(name: string): readonly [slot: number, name: string] | undefined {
  const [, slot, own] = IN_SLOT.exec(name) ?? []
  return slot === undefined || own === undefined ? undefined : [Number(slot), own]
}

/** The records that were there at the start, and what has changed since. */
export class Asides {
  readonly loaded = new Map<string, unknown>()
  readonly #pending = new Map<string, () => object | undefined>()

  keep(name: string, record: () => object | undefined): void {
    this.#pending.set(name, record)
  }

  /** Hands over all changes: any of them may be on the disk from now on. */
  take(): AsideRecord[] {
    const group = [...this.#pending]
    this.#pending.clear()
    return group
  }

  /** They could not be written: they are to be written again, unless something newer is. */
  putBack(group: readonly AsideRecord[]): void {
    for (const [name, record] of group) if (!this.#pending.has(name)) this.#pending.set(name, record)
  }
}
