// Sessions that other servers have, and that go there: this one may serve some of the slots only.

import type { Remote, Turn } from '../effects.ts'
import { failure } from '../failure.ts'
import { readRecord, TLS12_CID } from '../record/record.ts'
import { beginsInPlain } from '../slots.ts'
import type { ServerContext } from './context.ts'
import { failHandshake, forgetSecrets } from './end.ts'
import { type SavedSession, saveSession } from './saved.ts'

/** Whose a datagram is: of a session or a handshake here, of a handshake that may begin anywhere, or of neither. */
export type Locality = 'here' | 'beginning' | 'elsewhere'

/** Whose it is, by its first record. */
export function locate({ table, settings }: ServerContext, datagram: Uint8Array, from: Remote): Locality {
  if (beginsInPlain(datagram)) return table.halfOpenAt(from) === undefined ? 'beginning' : 'here'
  const record = readRecord(datagram, 0, settings.connectionIdLength)
  if (record === undefined) return 'here' // it is nobody's, and counted
  const { type, cid } = record
  const known = type === TLS12_CID ? table.byCid(cid) : (table.openAt(from) ?? table.halfOpenAt(from))
  return known === undefined ? 'elsewhere' : 'here'
}

const MOVED = failure('internal_error', 'replaced', 'sessions have moved to another server')

/**
 * Takes sessions away without a word to their peers. Handshakes that would become such end, and their peers are told: nobody can go on
 * with them, so that they would repeat themselves for a minute. What it returns is all that there is of the sessions.
 */
export function takeAway(
  context: ServerContext,
  isWanted: (session: number) => boolean,
  turn: Turn,
): SavedSession[] {
  const { table } = context
  for (const association of [...table.halfOpen]) {
    if (isWanted(association.id)) failHandshake(context, association, MOVED, turn)
  }
  const taken: SavedSession[] = []
  for (const association of [...table.sessions.values()]) {
    if (!isWanted(association.id)) continue
    const saved = saveSession(association)
    if (saved !== undefined) taken.push(saved)
    table.remove(association)
    association.state = 'gone'
    forgetSecrets(association)
  }
  return taken
}
