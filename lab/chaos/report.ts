// What a chaos run tells of itself: a line for each round, and the sum of all.

import type { AirTally } from './air.ts'
import type { ChaosOutcome } from './run.ts'
import type { Site } from './site.ts'
import { describeTroubles, type Tally, troublesSince } from './tally.ts'

/** What a line about a round is the difference of. */
export interface Figures {
  readonly kills: number
  readonly brokerRestarts: number
  readonly engine: Tally
  readonly nodes: Tally
  readonly up: number
  readonly down: number
  readonly lost: number
  readonly duplicated: number
  readonly poison: number
}

/** As it is now. */
export const figuresOf = ({ up, down, tally }: Site, outcome: ChaosOutcome): Figures => ({
  kills: outcome.kills + outcome.stops,
  brokerRestarts: outcome.brokerRestarts,
  engine: { ...outcome.engine },
  nodes: { ...outcome.nodes },
  up: up.acknowledged,
  down: down.acknowledged,
  lost: up.lost + down.lost,
  duplicated: up.duplicated + down.duplicated,
  poison: tally.poison,
})

const about = (whom: string, tally: Tally): string => {
  const text = describeTroubles(tally)
  return text === '' ? '' : `${whom} ${text}, `
}

/** What happened between two figures. */
export const describeRound = (before: Figures, now: Figures): string =>
  `kills ${now.kills - before.kills}, broker restarts ${now.brokerRestarts - before.brokerRestarts}, ` +
  about('nodes', troublesSince(before.nodes, now.nodes)) +
  about('database', troublesSince(before.engine, now.engine)) +
  (now.poison > before.poison ? `poison ${now.poison - before.poison}, ` : '') +
  `acknowledged ${now.up - before.up} up and ${now.down - before.down} down, lost ${now.lost - before.lost}, ` +
  `duplicated ${now.duplicated - before.duplicated}`

/** The lines about the whole run. */
export function describeRun(
  { up, down, wills, tally, deadLetters, tellsForbidden }: Site,
  air: AirTally,
  outcome: ChaosOutcome,
): string[] {
  const livingWills = `; of the living ${wills.tolerated}, which a crash causes with MQTT 3.1.1: not checked`
  return [
    `total: ${outcome.rounds} rounds, ${outcome.kills} kills and ${outcome.stops} stops of the gateway, ` +
      `${outcome.brokerRestarts} restarts of the broker` +
      (Object.keys(outcome.engine).length > 0 ? `; database: ${describeTroubles(outcome.engine)}` : '') +
      (Object.keys(outcome.nodes).length > 0
        ? `; nodes: ${describeTroubles(outcome.nodes)}, ended by themselves ${outcome.endings}, sleepers moved ${tally.moved}`
        : '') +
      (outcome.writers > 0 ? `; processes that have written ${outcome.writers}` : '') +
      (outcome.handshakes > 0 ? `; handshakes of DTLS ${outcome.handshakes}` : '') +
      (outcome.unplugged > 0 ? `; lines unplugged and radios reset ${outcome.unplugged}` : ''),
    `messages of QoS 1 and 2 acknowledged: ${up.acknowledged} up, ${down.acknowledged} down; lost ${outcome.lost}; ` +
      `QoS 2 duplicated ${outcome.duplicated}, by the broker at its restart ${outcome.excused}; ` +
      `QoS 1 repeated ${up.repeated + down.repeated}; refused for now ${tally.refused}`,
    `rounds with poison ${outcome.poisonedRounds}: publishes and subscriptions ${tally.poison}, refused ${tally.poisonRefused}, ` +
      `acknowledged for the store ${deadLetters.acknowledged}, dead letters ${deadLetters.found}`,
    `sessions lost ${tally.sessionsLost}, topics registered again ${tally.registersAgain}; ` +
      `wills of the dead ${wills.arrived}, repeated ${wills.repeated}, published by the broker as it stopped ${wills.byBroker}` +
      (tellsForbidden ? '' : livingWills),
    `datagrams ${air.datagrams}, lost ${air.lost}, doubled ${air.duplicated}, delayed ${air.delayed}; ` +
      `${outcome.faults.length === 0 ? 'nothing is wrong' : `${outcome.faults.length} things are WRONG`}`,
  ]
}
