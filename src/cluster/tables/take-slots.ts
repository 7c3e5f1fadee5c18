// Takes slots of owners that are gone, and slots that nobody owns; says so.

import type { Step } from '../judging/course.ts'
import type { Engine, Identity, Look } from '../judging/engine.ts'
import { logTakeover, type NodeLog } from '../node-words.ts'

/** Resolves to how many slots there were, and owners that they were taken from. */
export async function takeSlots(
  engine: Pick<Engine, 'take'>,
  self: Identity,
  { from, free, slots }: Extract<Step, { type: 'take' }>,
  look: Look,
  log: NodeLog,
): Promise<{ readonly taken: number; readonly owners: number }> {
  let [taken, owners] = [0, 0]
  for (const owner of from) {
    const got = await engine.take(self, owner, slots)
    if (got === 0) continue
    taken += got
    owners += 1
    logTakeover(log, owner, got, look)
  }
  if (free) taken += await engine.take(self, undefined, slots)
  return { taken, owners }
}
