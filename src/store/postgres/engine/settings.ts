// Looks at the settings of a database server on which it depends what an acknowledgement is worth.

import type { EngineConnection } from './connection.ts'

/** What was found. */
export interface EngineSettings {
  /** what it acknowledges outlives the loss of its machine */
  readonly replicated: boolean
  /** what is wrong, for people */
  readonly warnings: readonly string[]
  /** of all records, with their index */
  readonly octets: number
  /** milliseconds since 1970, by its clock */
  readonly time: number
}

const QUESTION = `SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_standby_names'),
  coalesce(pg_total_relation_size(to_regclass('mqttsn_record')) + pg_total_relation_size(to_regclass('mqttsn_aside')), 0), extract(epoch FROM clock_timestamp()) * 1000`

/** `replicatedBelow`: its storage is itself on several machines, as the configuration says. Throws EngineError. */
export async function lookAtSettings(
  connection: EngineConnection,
  replicatedBelow: boolean,
): Promise<EngineSettings> {
  const [row] = await connection.query({ name: 'mqttsn_settings', text: QUESTION })
  const [fsync, pages, standbys, octets, time] = row ?? []
  const warnings: string[] = []
  if (fsync !== 'on')
    warnings.push(
      'its setting fsync is off: what is acknowledged is lost, and the database with it, when its machine fails',
    )
  if (pages !== 'on')
    warnings.push('its setting full_page_writes is off: the database may be damaged when its machine fails')
  // each connection sees to `synchronous_commit` itself
  const isAlone = !standbys?.trim() && !replicatedBelow
  if (isAlone)
    warnings.push(
      'it has no synchronous standby (synchronous_standby_names is empty): what is acknowledged is on one machine. ' +
        'If the storage below is on several, say so with store.replicated',
    )
  return { replicated: warnings.length === 0, warnings, octets: Number(octets), time: Number(time) }
}
