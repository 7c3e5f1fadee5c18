// Tables of a PostgreSQL database as what a grouped store writes to.

import type { AsideRecord, SlotAside } from '../asides.ts'
import type { Group } from '../changes.ts'
import type { Environment, FoundSession, Place } from '../environment.ts'
import { recordsOf } from '../group-records.ts'
import type { EngineHealth, Slots } from '../store.ts'
import type { EngineClock } from './engine/clock.ts'
import type { Query } from './engine/connection.ts'
import { groupStatement } from './group-statement.ts'
import { type EngineLoadParts, loadSessions, loadSlotAsides } from './load.ts'
import { UplinkFetches } from './uplink-fetches.ts'
import type { EngineWriter } from './writer.ts'

export interface PostgresParts extends Pick<EngineLoadParts, 'owns' | 'slotOf' | 'onMisplaced' | 'onNumber'> {
  readonly writer: EngineWriter
  readonly clock: EngineClock
}

export class PostgresEnvironment implements Environment {
  readonly time: EngineClock
  readonly #parts: PostgresParts
  readonly #fetches: UplinkFetches

  constructor(parts: PostgresParts) {
    this.#parts = parts
    this.time = parts.clock
    this.#fetches = new UplinkFetches((statement) => parts.writer.query(statement))
  }

  async write(group: Group, asides: readonly AsideRecord[]): Promise<void> {
    const { writer } = this.#parts
    await writer.open() // first, so that what is written is the state of the moment at which it is sent
    const { records, confirm } = recordsOf(group, this.time.toStored)
    for (const [{ slot, number }, key] of records)
      if (typeof key === 'number' && key < 0) this.#fetches.forget(slot, number, key)
    await writer.write((lane, token) => groupStatement(lane, token, records, asides))
    confirm()
  }

  read(place: Place): unknown {
    return this.#fetches.read(place)
  }

  prepareRelease(slots: Slots): void {
    this.#fetches.release(slots)
  }

  load(slots: Slots | undefined): AsyncIterable<readonly FoundSession[]> {
    const { writer, ...parts } = this.#parts
    const query: Query = (statement) => writer.query(statement)
    return loadSessions({ ...parts, query, toMonotonic: this.time.toMonotonic }, slots)
  }

  loadAsides(slots: Slots): Promise<readonly SlotAside[]> {
    return loadSlotAsides((statement) => this.#parts.writer.query(statement), slots)
  }

  get absence(): Error | undefined {
    return this.#parts.writer.failure
  }

  get octets(): number {
    return this.#parts.writer.octets
  }

  get engine(): EngineHealth {
    return this.#parts.writer.health
  }

  close(): Promise<void> {
    return this.#parts.writer.close()
  }
}
