// Who is to get a message that comes for some filters. Pure: time is an argument.

import { type Entry, higherOf, type Qos } from './entry.ts'
import { AFTERGLOW } from './subscribing.ts'

/**
 * Who is to get a retained message: those whose SUBSCRIBE it answers, or nobody, if the gateway asked only to give the broker its
 * subscriptions back. Undefined: it answers none that is known.
 */
export function audienceOf<M>(entries: readonly Entry<M>[], now: number): Map<M, Qos> | undefined {
  const found = new Map<M, Qos>()
  let isQuiet = false
  for (const { audience, subscribers, quietUntil } of entries) {
    isQuiet ||= quietUntil > now
    for (const [member, until] of audience) {
      const qos = subscribers.get(member)
      if (until <= now || qos === undefined) {
        audience.delete(member)
        continue
      }
      if (until !== Number.POSITIVE_INFINITY) audience.set(member, now + AFTERGLOW)
      found.set(member, higherOf(found.get(member), qos))
    }
  }
  return found.size > 0 || isQuiet ? found : undefined
}

/** Who is to get any other message; of a shared subscription one of them, in turns. `isThere`: who can take it at once. */
export function subscribersOf<M>(
  entries: readonly Entry<M>[],
  isThere: (member: M) => boolean,
): ReadonlyMap<M, Qos> {
  const [only] = entries
  if (entries.length === 1 && only !== undefined && !only.isShared) return only.subscribers
  const found = new Map<M, Qos>()
  for (const entry of entries) {
    const taking = entry.isShared ? takeTurn(entry.subscribers, isThere) : entry.subscribers
    for (const [member, qos] of taking) found.set(member, higherOf(found.get(member), qos))
  }
  return found
}

/** The one whose turn it is, who is the last from then on; those who are there go first. */
function takeTurn<M>(subscribers: Map<M, Qos>, isThere: (member: M) => boolean): (readonly [M, Qos])[] {
  let chosen: [M, Qos] | undefined
  for (const one of subscribers) {
    chosen ??= one
    if (!isThere(one[0])) continue
    chosen = one
    break
  }
  if (chosen === undefined) return []
  const [member, qos] = chosen
  subscribers.delete(member)
  subscribers.set(member, qos)
  return [chosen]
}
