// Records beside sessions: what else has to outlive the process, by names. They are written with the next group, as they are then.

/** A name, and its record as it is when it is written; undefined deletes. */
export type AsideRecord = readonly [name: string, record: () => object | undefined]

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
