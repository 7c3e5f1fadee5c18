// What the sensors of a chaos run share: the gateway, the books, the counters.

import { Books, type Outage } from './books.ts'
import { DeadLetterBooks } from './dead-letters.ts'
import type { ChaosOptions } from './run.ts'
import { Wills } from './wills.ts'

/** What all members share. */
export interface Site {
  readonly seed: number
  readonly gateway: string
  readonly up: Books
  readonly down: Books
  readonly wills: Wills
  readonly deadLetters: DeadLetterBooks
  /** the broker tells MQTT 5 clients what is forbidden; with 3.1.1 it acknowledges and drops it */
  readonly tellsForbidden: boolean
  /** a sensor is reached only through the node that it spoke to last: who has nothing to say asks now and then whether anybody is there */
  readonly mustSpeak: boolean
  /** sensors get other addresses while they sleep */
  readonly hasMoves: boolean
  readonly tally: MemberTally
  /** numbers of uplink messages */
  readonly nextNumber: () => number
  readonly onFault: (sensor: string, what: string) => void
  /** ends all pauses */
  readonly ended: AbortSignal
}

/** Counters of all members together. */
export interface MemberTally {
  /** messages sent by sensors, QoS 0 included */
  published: number
  /** messages that arrived at sensors, repetitions included */
  received: number
  /** addresses that sleepers got */
  moved: number
  /** QoS 1 and 2 messages that the gateway refused for now: nothing was promised */
  refused: number
  /** connections that the gateway ended, or that ended for want of an answer */
  sessionsLost: number
  /** REGISTERs for a name that was registered already */
  registersAgain: number
  /** publishes and subscriptions that the broker does not take */
  poison: number
  /** those of them that the sensor was told about */
  poisonRefused: number
}

/** With empty books. */
export const createSite = (
  { seed, protocol, nodes, signal }: ChaosOptions,
  gatewayPort: number,
  outages: readonly Outage[],
  nextNumber: () => number,
  onFault: (sensor: string, what: string) => void,
): Site => ({
  seed,
  gateway: `udp://127.0.0.1:${gatewayPort}`,
  up: new Books(outages),
  down: new Books(outages),
  wills: new Wills(protocol === '5'),
  deadLetters: new DeadLetterBooks(),
  tellsForbidden: protocol === '5',
  hasMoves: nodes > 1,
  mustSpeak: nodes > 2,
  tally: {
    published: 0,
    received: 0,
    moved: 0,
    refused: 0,
    sessionsLost: 0,
    registersAgain: 0,
    poison: 0,
    poisonRefused: 0,
  },
  nextNumber,
  onFault,
  ended: signal,
})
