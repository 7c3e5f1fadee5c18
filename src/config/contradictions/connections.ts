// What connections that sensors share cannot do, and rules that ask for it all the same.

import type { Path } from '../reading/path.ts'
import type { Config } from '../schema.ts'
import { variablesIn } from '../sections/template.ts'
import type { Contradiction } from './contradiction.ts'

const OF_SENSOR: ReadonlySet<string> = new Set(['clientId', 'identity'])

const isPersonal = (text: string | undefined): boolean =>
  text !== undefined && variablesIn(text).some((name) => OF_SENSOR.has(name))

/** Of a rule whose sensors share connections. */
export function* connectionContradictions({ broker, sensors }: Config): Generator<Contradiction> {
  const seen = new Set<string>()
  for (const [i, rule] of sensors.entries()) {
    const { match, connections = broker.connections, username, password, cert } = rule
    if (connections === 'perSensor' || seen.has(match)) continue
    seen.add(match)
    const path: Path = ['sensors', i]
    const decides: Path =
      rule.connections === undefined ? ['broker', 'connections'] : [...path, 'connections']
    for (const key of ['username', 'password'] as const) {
      if (!isPersonal(rule[key])) continue
      const about: [Path, Path] = [[...path, key], decides]
      yield {
        about,
        found: 'a variable of the sensor',
        expected: 'none, as a shared connection has one login for all',
      }
    }
    if (rule.connections !== undefined) continue
    if (username === undefined && password === undefined && cert === undefined) continue
    const about: [Path, Path] = [[...path, 'connections'], decides]
    yield {
      about,
      found: 'nothing, beside a login of the rule',
      expected: '{ "shared": n } for connections with this login, or "perSensor"',
    }
  }
}
