// A durable store: what changes is collected, and written in groups.

import type { QueuedMessage, Uplink } from '../session/message.ts'
import type { Session } from '../session/session.ts'
import { nameInSlot, placeOfName, type SlotAside } from './asides.ts'
import { type GroupedOptions, type GroupedParts, GroupWriter } from './group-writer.ts'
import { type Key, readUplink, type Value } from './records.ts'
import type { Deposed, Slots, Store, StoredSession, StoreHealth, StoreTime } from './store.ts'

/** The store above an environment. */
export class GroupedStore implements Store {
  readonly #parts: GroupedParts
  readonly #writer: GroupWriter
  readonly #log: GroupedOptions['log']

  constructor(options: GroupedOptions, parts: GroupedParts) {
    this.#parts = parts
    this.#writer = new GroupWriter(options, parts)
    this.#log = options.log
  }

  async *load(slots?: Slots): AsyncIterable<readonly StoredSession[]> {
    for await (const piece of this.#parts.environment.load(slots)) {
      const sessions: StoredSession[] = []
      for (const { session, ...found } of piece) {
        const { clientId } = session.record.lasting
        if (this.#parts.changes.knows(clientId)) continue // it was given before
        this.#parts.changes.noteStored(clientId, found)
        sessions.push(session)
      }
      yield sessions
    }
  }

  async release(slots: Slots): Promise<void> {
    const { environment } = this.#parts
    let failure = await this.#writer.flush()
    environment.prepareRelease?.(slots)
    if (failure === undefined && environment.owes) {
      this.#writer.changed()
      failure = await this.#writer.flush()
    }
    if (failure !== undefined) throw failure
    this.#parts.changes.release(slots)
  }

  get installation(): string | undefined {
    return this.#parts.installation
  }

  get time(): StoreTime {
    return this.#parts.environment.time
  }

  save(session: Session): void {
    this.#keep(session.clientId, 'lasting', session, true)
    this.#keep(session.clientId, 'progress', session)
  }

  saveProgress(session: Session): void {
    if (this.#parts.changes.knows(session.clientId)) this.#keep(session.clientId, 'progress', session)
    else this.save(session)
  }

  forget(clientId: string): void {
    this.#parts.changes.forget(clientId)
    this.#writer.changed()
  }

  keepMessage(clientId: string, message: QueuedMessage): void {
    this.#keep(clientId, message.id, message)
  }

  dropMessage(clientId: string, id: number): void {
    this.#parts.changes.drop(clientId, id)
    this.#writer.changed()
  }

  keepUplink(clientId: string, uplink: Uplink): void {
    this.#keep(clientId, -uplink.token, uplink)
  }

  dropUplink(clientId: string, token: number): void {
    this.#parts.changes.drop(clientId, -token)
    this.#writer.changed()
  }

  readUplink(clientId: string, token: number): Uplink | 'gone' | 'later' | 'soon' {
    const found = this.#parts.changes.find(clientId, -token)
    if (found === undefined) return 'gone'
    if ('pending' in found) return 'token' in found.pending ? found.pending : 'gone'
    try {
      const { slot, number } = found
      const record = this.#parts.environment.read({ slot, number, key: -token })
      return record === 'soon' ? 'soon' : readUplink(token, record, this.time.toMonotonic)
    } catch (error) {
      this.#log?.error(
        `a message of ${clientId} cannot be read: ${error instanceof Error ? error.message : error}`,
      )
      return error instanceof TypeError ? 'gone' : 'later'
    }
  }

  get asides(): ReadonlyMap<string, unknown> {
    return this.#parts.asides.loaded
  }

  async loadAsides(slots: Slots): Promise<readonly SlotAside[]> {
    const { environment, asides } = this.#parts
    if (environment.loadAsides !== undefined) return environment.loadAsides(slots)
    return [...asides.loaded].flatMap(([whole, record]) => {
      const [slot, name] = placeOfName(whole) ?? []
      return slot !== undefined && name !== undefined && slots.has(slot) ? [[slot, name, record]] : []
    })
  }

  readonly nameInSlot = nameInSlot

  keepAside(name: string, record: () => object | undefined, lazy = false): void {
    this.#parts.asides.keep(name, record)
    this.#writer.changed(lazy)
  }

  get written(): number {
    return this.#writer.written
  }

  get durable(): number {
    return this.#writer.durable
  }

  onDurable(done: (error?: Error) => void): void {
    this.#writer.onDurable(done)
  }

  onDeposed(told: (why: Deposed) => void): void {
    this.#writer.onDeposed(told)
  }

  get isShared(): boolean {
    return this.#parts.environment.engine !== undefined
  }

  get isFailing(): boolean {
    return this.#writer.isFailing
  }

  get health(): StoreHealth {
    return this.#writer.health
  }

  close(): Promise<void> {
    return this.#writer.close()
  }

  #keep(clientId: string, key: Key, value: Value, create = false): void {
    this.#parts.changes.keep(clientId, key, value, create)
    this.#writer.changed()
  }
}
