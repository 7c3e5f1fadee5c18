// Which lines of a gateway's log, of those that one in good health does not write, a round accounts for.

/** What it says of poison that it keeps trying to deliver. */
const ALWAYS = [/the broker refuses stored messages/]
/** What it says of a database that is dead, stands still or cuts connections, and as it ends meanwhile. */
const OF_THE_DATABASE = [
  /the database server/,
  /the store cannot write: the last changes may be lost/,
  /closed with changes that are not stored/,
]

/** What a node says that stood still for so long that another one has its place. */
const OF_THE_DEPOSED = [/this node must not go on/, /another gateway has taken over the sessions/]

/** What a round has done. */
export interface Accounted {
  readonly hasDatabaseTrouble: boolean
  /** a node stood still */
  readonly isFrozen: boolean
}

/** Those that remain. */
export function faultsInLog(lines: readonly string[], { hasDatabaseTrouble, isFrozen }: Accounted): string[] {
  const accounted = [
    ...ALWAYS,
    ...(hasDatabaseTrouble ? OF_THE_DATABASE : []),
    ...(isFrozen ? OF_THE_DEPOSED : []),
  ]
  return lines.filter((line) => !accounted.some((pattern) => pattern.test(line)))
}
