// Which lines of a gateway's log, of those that one in good health does not write, a round accounts for.

/** What it says of poison that it keeps trying to deliver. */
const ALWAYS = [/the broker refuses stored messages/]
/** What it says of a database that is dead, stands still or cuts connections, and as it ends meanwhile. */
const OF_THE_DATABASE = [
  /the database server/,
  /the store cannot write: the last changes may be lost/,
  /closed with changes that are not stored/,
]

/** Nodes have less patience with the database, and machines that run all of this are busy. */
const OF_NODES = [/has not answered for [\d.]+ s/]

/** What a node says that stood still, or was cut off from the database, for so long that another one has its place. */
const OF_THE_DEPOSED = [/this node must not go on/, /another gateway has taken over the sessions/]

/** A broker that is restarted for the third time in two minutes looks like another client to a node that has no other connection to it. */
const OF_THE_BROKER = [/another client uses the ClientId "[^"]*" of this gateway's own connection/]

/** What a round has done. */
export interface Accounted {
  readonly hasDatabaseTrouble: boolean
  /** there are several */
  readonly hasNodes: boolean
  /** a node stood still, or was cut off from the database */
  readonly hasDeposed: boolean
  /** the broker was restarted */
  readonly hasBrokerTrouble: boolean
}

/** What a line of JSON says of when it was written, in milliseconds since 1970; NaN for others. */
const timeOf = (line: string): number => Date.parse(/"time":"([^"]+)"/.exec(line)?.[1] ?? '')

/** Judges the lines of one round after the other. */
export class LogFaults {
  #before: Accounted | undefined

  /** Those of these lines that remain. `begun`: when the round began; what was written before that belongs to the one before. */
  of(lines: readonly string[], round: Accounted, begun: number): string[] {
    const before = this.#before ?? round
    this.#before = round
    return lines.filter((line) => !isAccounted(line, timeOf(line) < begun ? before : round))
  }
}

function isAccounted(line: string, round: Accounted): boolean {
  const { hasDatabaseTrouble, hasNodes, hasDeposed, hasBrokerTrouble } = round
  const accounted = [
    ...ALWAYS,
    ...(hasDatabaseTrouble ? OF_THE_DATABASE : []),
    ...(hasNodes ? OF_NODES : []),
    ...(hasDeposed ? OF_THE_DEPOSED : []),
    ...(hasBrokerTrouble ? OF_THE_BROKER : []),
  ]
  return accounted.some((pattern) => pattern.test(line))
}
