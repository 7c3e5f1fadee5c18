// Ends a membership, so that others take over at once.

import type { Engine, Identity } from '../judging/engine.ts'
import type { NodeLog } from '../node-words.ts'

/** Says so in the log if it cannot be told to the engine. */
export async function leaveCluster(
  engine: Pick<Engine, 'leave'>,
  self: Identity,
  log: NodeLog,
): Promise<void> {
  try {
    await engine.leave(self)
  } catch (err) {
    log.warn(
      { err, node: self.node },
      'the database cannot be told that this node ends: others wait for its lease',
    )
  }
}
