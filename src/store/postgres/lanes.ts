// Who may write: nodes, their incarnations, and the token of each of their writers, without which a group is not written.
//
// Every connection of a writer takes a new token. A statement of an earlier connection that hangs somewhere finds its token gone when it
// is carried out at last, or has been carried out before the new token was given: it cannot put old values over new ones.

import type { Incarnation } from '../part.ts'
import { Deposed } from '../store.ts'
import type { EngineConnection } from './engine/connection.ts'

/** One writer of it. */
export interface Lane extends Incarnation {
  readonly lane: number
}

/** What connections of this process are called in the server's views. */
export const applicationOf = ({ node, incarnation }: Incarnation): string => `mqttsn ${node}/${incarnation}`

/**
 * Ends everybody's right to write, and makes this node the only one: with so many lanes, and the owner of all slots. What others were
 * writing is done before; what they write afterwards is refused.
 * @throws EngineError
 */
export async function takeEverything(
  connection: EngineConnection,
  node: string,
  lanes: number,
): Promise<Incarnation> {
  return inTransaction(connection, async () => {
    await connection.query({ text: 'SELECT 1 FROM mqttsn_about FOR UPDATE' }) // one after the other
    await connection.query({ text: "UPDATE mqttsn_member SET expires = '-infinity', state = 'deposed'" })
    await connection.query({ text: 'UPDATE mqttsn_lane SET token = NULL' }) // waits for groups under way
    const self = await joinNode(connection, node, lanes)
    await connection.query({
      text: 'UPDATE mqttsn_slot SET node = $1, incarnation = $2, epoch = epoch + 1',
      values: [node, self.incarnation],
    })
    return self
  })
}

/** Puts a new incarnation of a node in place of the one before, with lanes that have tokens. */
async function joinNode(connection: EngineConnection, node: string, lanes: number): Promise<Incarnation> {
  const [row] = await connection.query({
    text: `INSERT INTO mqttsn_member (node, incarnation, state, expires) VALUES ($1, nextval('mqttsn_token'), 'active', 'infinity')
      ON CONFLICT (node) DO UPDATE SET incarnation = excluded.incarnation, state = excluded.state, expires = excluded.expires
      RETURNING incarnation`,
    values: [node],
  })
  const self = { node, incarnation: Number(row?.[0]) }
  await openLanes(connection, self, lanes)
  return self
}

/**
 * Gives tokens to so many lanes of a member that is alive.
 * @throws Deposed if it is not; EngineError
 */
export async function openLanes(
  connection: EngineConnection,
  { node, incarnation }: Incarnation,
  lanes: number,
): Promise<void> {
  const rows = await connection.query({
    text: `WITH alive AS (SELECT 1 FROM mqttsn_member WHERE node = $1 AND incarnation = $2 AND expires > '-infinity' FOR SHARE)
      INSERT INTO mqttsn_lane (node, lane, incarnation, token)
      SELECT $1, lane, $2, nextval('mqttsn_token') FROM alive, generate_series(0, $3::int - 1) AS lane
      ON CONFLICT (node, lane) DO UPDATE SET incarnation = excluded.incarnation, token = excluded.token RETURNING lane`,
    values: [node, incarnation, lanes],
  })
  if (rows.length < lanes) throw deposed(connection)
}

/** Does all of it or nothing. */
export async function inTransaction<T>(connection: EngineConnection, work: () => Promise<T>): Promise<T> {
  await connection.query({ text: 'BEGIN' })
  try {
    const result = await work()
    await connection.query({ text: 'COMMIT' })
    return result
  } catch (error) {
    if (!connection.isLost) await connection.query({ text: 'ROLLBACK' }).catch(() => {})
    throw error
  }
}

/**
 * A new token for this connection, which makes those of earlier connections worthless; waits for a statement that hangs there.
 * @throws Deposed if the lane is somebody else's; EngineError
 */
export async function takeToken(
  connection: EngineConnection,
  { node, lane, incarnation }: Lane,
): Promise<string> {
  // not by the token from before: nobody knows it if the answer to an earlier attempt was lost
  const [row] = await connection.query({
    text: `UPDATE mqttsn_lane SET token = nextval('mqttsn_token')
      WHERE node = $1 AND lane = $2 AND incarnation = $3 AND token IS NOT NULL RETURNING token`,
    values: [node, lane, incarnation],
  })
  const token = row?.[0]
  if (typeof token === 'string') return token
  throw deposed(connection)
}

const deposed = ({ host }: EngineConnection): Deposed =>
  new Deposed(
    `another gateway has taken over the sessions in the database at ${host}: this one must not go on. ` +
      'Give each gateway a database of its own, unless they are a cluster',
  )
