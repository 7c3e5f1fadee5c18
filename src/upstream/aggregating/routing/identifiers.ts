// Subscription identifiers: a number for each filter that is the same in every process, since the broker keeps it with the session and
// gives it back with messages that were queued before a restart. Two filters may have the same one; the topic decides then. Pure.

/** 1 to 268,435,455 */
const MAXIMUM = 0x0fffffff

/** The identifier of a filter: FNV-1a over its code units. */
export function identifierOf(filter: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < filter.length; i++) hash = Math.imul(hash ^ filter.charCodeAt(i), 0x01000193)
  return 1 + ((hash >>> 0) % MAXIMUM)
}
