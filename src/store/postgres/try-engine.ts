// One try of the way to a database server, for people who look for a mistake. It changes nothing there, and disturbs no gateway.

import { StoreError } from '../store.ts'
import { connectEngine, type EngineOptions } from './engine/connection.ts'
import { EngineError } from './engine/error.ts'
import { lookAtSettings } from './engine/settings.ts'
import { findAbout } from './schema.ts'

/** What came of it, in a sentence; without `ok` it names the key to change. */
export interface EngineTry {
  readonly ok: boolean
  readonly says: string
}

/** Connects, and looks whether a gateway could keep its sessions there. Holds no secret. */
export async function tryEngine(
  engine: Omit<EngineOptions, 'application'>,
  replicatedBelow: boolean,
): Promise<EngineTry> {
  try {
    const connection = await connectEngine({ ...engine, application: 'mqttsn check' })
    try {
      const about = await findAbout((statement) => connection.query(statement))
      const { warnings } = await lookAtSettings(connection, replicatedBelow)
      if (about === undefined) {
        const [row] = await connection.query({
          text: "SELECT current_schema(), has_schema_privilege(current_schema(), 'CREATE')",
        })
        if (row?.[1] !== 't') {
          const schema = row?.[0] ?? 'public'
          return {
            ok: false,
            says: `the user of store.url may make no tables: GRANT CREATE ON SCHEMA ${schema} TO it`,
          }
        }
      }
      const state = about === undefined ? 'no sessions there yet' : 'sessions of a gateway are there'
      return { ok: true, says: [`${connection.host} takes writes, ${state}`, ...warnings].join('; ') }
    } finally {
      await connection.close()
    }
  } catch (error) {
    if (error instanceof EngineError || error instanceof StoreError) return { ok: false, says: error.message }
    throw error
  }
}
