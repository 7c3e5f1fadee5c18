// Who a sensor is at the broker: `sensors[].clientId` makes a name of its ClientId, and no two sensors may share one there, nor one of
// them have the gateway's own: each would take the other's connection and messages.

import type { Who } from '../../session/policy.ts'
import type { Turn } from '../../session/turn.ts'
import type { Sessions } from '../table.ts'

/** Whether the name that this ClientId has at the broker belongs to the gateway itself, or to another sensor. */
export function isNameTaken({ byClientId, renamed }: Sessions, who: Who, { env }: Turn): boolean {
  const { clientId } = who
  const name = env.nameAtBroker(who)
  const hasName = (other: string): boolean => {
    const session = byClientId.get(other)
    return session !== undefined && env.nameAtBroker(session) === name
  }
  if (env.isOwnName(name)) return true
  if (name !== clientId && hasName(name)) return true
  const owner = renamed.get(name)
  // what was noted under rules of before, or of a sensor that is forgotten, does not count
  return owner !== undefined && owner !== clientId && hasName(owner)
}

/** Notes the name of a sensor that is in the table, if it is not its ClientId, which most have. */
export function noteName({ byClientId, renamed }: Sessions, who: Who, { env }: Turn): void {
  const { clientId } = who
  const name = env.nameAtBroker(who)
  if (name === clientId) return
  renamed.set(name, clientId)
  if (renamed.size <= 2 * byClientId.size + 64) return
  for (const [each, owner] of renamed) if (!byClientId.has(owner)) renamed.delete(each)
}
