// Opens the store on PostgreSQL, for one gateway or for its threads.

import { Asides } from '../asides.ts'
import { Changes } from '../changes.ts'
import { GroupedStore } from '../grouped.ts'
import { everything, type Incarnation } from '../part.ts'
import { type SlotOf, type Store, StoreError } from '../store.ts'
import { EngineClock } from './engine/clock.ts'
import { connectEngine, type EngineOptions } from './engine/connection.ts'
import { EngineError } from './engine/error.ts'
import { PostgresEnvironment } from './environment.ts'
import { takeEverything } from './lanes.ts'
import { loadAsides } from './load.ts'
import type { PostgresOptions } from './options.ts'
import { type About, prepareSchema } from './schema.ts'
import { EngineWriter } from './writer.ts'

export { loadDriver } from './engine/connection.ts'

/** The name of a node that has no other. */
const ALONE = 'gateway'

const inOneSlot: SlotOf = () => 0

const misplaced = (sessions: number): string =>
  `${sessions} sessions are stored for other names at the broker than their sensors have now (sensors[].clientId, gateway.id), and are not found: ` +
  'make these as they were to have them again'

/** A store that is this process's. */
export interface TakenStore extends About {
  readonly incarnation: Incarnation
}

/**
 * Makes this process the only one that writes to the store, with so many writers; one that did before is deposed.
 * @throws StoreError
 */
export async function takePostgresStore(
  engine: Omit<EngineOptions, 'application'>,
  lanes = 1,
  node = ALONE,
): Promise<TakenStore> {
  return explained(async () => {
    const connection = await connectEngine({ ...engine, application: `mqttsn ${node}` })
    try {
      const about = await prepareSchema((statement) => connection.query(statement))
      return { ...about, incarnation: await takeEverything(connection, node, lanes) }
    } finally {
      await connection.close()
    }
  })
}

/**
 * Opens the store in a database.
 * @throws StoreError that says what is wrong with the server, or with what is in the database, and what to do
 */
export async function openPostgresStore(options: PostgresOptions): Promise<Store> {
  const { engine, log, replicated = false, slotOf = inOneSlot, part = everything } = options
  const taken = part.taken ?? (await takePostgresStore(engine, part.index + 1)).incarnation
  const lane = { ...taken, lane: part.index }
  const clock = new EngineClock()
  const writer = new EngineWriter({
    engine: { ...engine, application: '' },
    lane,
    clock,
    replicatedBelow: replicated,
    log,
  })
  try {
    return await explained(async () => {
      await writer.open()
      const { owns, ...numbers } = part
      const { installation } = await prepareSchema((statement) => writer.query(statement))
      const changes = new Changes(numbers, { slotOf, numbersBySlot: true })
      const asides = new Asides()
      await loadAsides((statement) => writer.query(statement), asides.loaded)
      const onNumber = (number: number, slot: number) => changes.passOverNumber(number, slot)
      const onMisplaced = (sessions: number) => log?.warn?.(misplaced(sessions))
      const load = { owns, slotOf, onMisplaced, onNumber }
      const environment = new PostgresEnvironment({ writer, clock, ...load })
      return new GroupedStore(options, { environment, changes, asides, installation })
    })
  } catch (error) {
    await writer.close()
    throw error
  }
}

async function explained<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof EngineError) throw new StoreError(`store.url: ${error.message}`)
    throw error
  }
}
