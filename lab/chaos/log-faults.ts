// Which lines of a gateway's log, of those that one in good health does not write, a round accounts for.

/** What it says of poison that it keeps trying to deliver. */
const ALWAYS = [/the broker refuses stored messages/]
/** What it says of a database that is dead, stands still or cuts connections, and as it ends meanwhile. */
const OF_THE_DATABASE = [
  /the database server/,
  /the store cannot write: the last changes may be lost/,
  /closed with changes that are not stored/,
]

/** Those that remain. */
export function faultsInLog(lines: readonly string[], hasDatabaseTrouble: boolean): string[] {
  const accounted = hasDatabaseTrouble ? [...ALWAYS, ...OF_THE_DATABASE] : ALWAYS
  return lines.filter((line) => !accounted.some((pattern) => pattern.test(line)))
}
