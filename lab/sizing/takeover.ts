// How long sensors wait when a node is gone: every sensor by itself, in virtual time, with chance from a seed. A model.

import { seeded } from '../chaos/random.ts'

/** What happens. Times in seconds. */
export interface Takeover {
  readonly sensors: number
  readonly nodes: number
  /** until its sensors are taken: 0.1 where a process dies, the lease where a machine does */
  readonly detect: number
  /** until the balancer sends its flows elsewhere */
  readonly balancer: number
  /** between two messages of a sensor */
  readonly interval: number
  readonly tRetry: number
  readonly nRetry: number
  /** how long a message waits for the owner of its sensor */
  readonly hold: number
  /** connections to the broker that each node makes in a second */
  readonly connects: number
  /** rows read in a second; a session has two */
  readonly loadRows: number
  readonly seed: number
}

/** A takeover with usual values. */
export const USUAL_TAKEOVER: Takeover = {
  sensors: 100_000,
  nodes: 5,
  detect: 0.1,
  balancer: 3,
  interval: 10,
  tRetry: 10,
  nRetry: 3,
  hold: 2,
  connects: 5000,
  loadRows: 250_000,
  seed: 1,
}

/** Seconds from the end of the node until a sensor has its first answer; its pause before its next message is part of them. */
export interface Waits {
  /** sensors of the node, and those whose messages came in there */
  readonly concerned: number
  readonly p50: number
  readonly p99: number
  readonly max: number
  /** the longest time from the first try of a message to its answer */
  readonly longest: number
  /** those who had no answer after all their repetitions */
  readonly gaveUp: number
}

/** Shortest time for a plan and its first statement, seconds. */
const PLAN = 0.1

/** Who asks for a connection to the broker, and when it began to try. */
interface Asking {
  readonly at: number
  readonly since: number
  readonly node: number
}

/** Plays it once. */
export function playTakeover(takeover: Takeover): Waits {
  const { sensors, nodes, detect, balancer, interval, tRetry, nRetry, hold, connects } = takeover
  const random = seeded('takeover', takeover.seed)
  const survivors = Math.max(1, nodes - 1)
  const loaded = detect + PLAN + (2 * (sensors / nodes / survivors)) / takeover.loadRows
  const patience = tRetry * (nRetry + 1)
  const served: number[] = []
  const asking: Asking[] = []
  let [concerned, gaveUp, longest] = [0, 0, 0]
  const answered = (at: number, since: number): void => {
    if (at - since > patience) gaveUp += 1
    else {
      served.push(at)
      longest = Math.max(longest, at - since)
    }
  }
  for (let sensor = 0; sensor < sensors; sensor++) {
    const [isOwned, isThrough] = [random() < 1 / nodes, random() < 1 / nodes]
    if (!isOwned && !isThrough) continue
    concerned += 1
    const since = random() * interval
    let tries = 0
    let at = since
    // a message that nobody hears, or that is held for too long, comes again after T_RETRY
    const isLost = (): boolean => (isThrough && at < balancer) || (isOwned && at + hold < loaded)
    while (tries <= nRetry && isLost()) {
      tries += 1
      at = since + tries * tRetry
    }
    if (tries > nRetry) gaveUp += 1
    else if (isOwned) asking.push({ at: Math.max(at, loaded), since, node: Math.floor(random() * survivors) })
    else answered(at, since)
  }
  asking.sort((a, b) => a.at - b.at)
  const free = new Array<number>(survivors).fill(0)
  for (const { at, since, node } of asking) {
    const done = Math.max(free[node] ?? 0, at) + 1 / connects
    free[node] = done
    answered(done, since)
  }
  served.sort((a, b) => a - b)
  const part = (share: number): number =>
    served[Math.min(served.length - 1, Math.floor(share * served.length))] ?? 0
  return { concerned, p50: part(0.5), p99: part(0.99), max: served.at(-1) ?? 0, longest, gaveUp }
}
