// What the configuration says of the ClientIds that sensors have at the broker, as far as their own ClientIds decide them.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these variables are filled in by the gateway

import type { Config, SensorRule } from '../../config/schema.ts'
import { globToMatcher } from '../../config/sections/glob.ts'
import { expandTemplate, variablesIn } from '../../config/sections/template.ts'
import { slotOfName } from '../../sessions/slots.ts'

/** The part of a configuration that decides names at the broker: nothing in it is secret. */
export interface Naming {
  readonly gatewayId: number
  readonly rules: readonly Pick<SensorRule, 'match' | 'clientId'>[]
}

/** That part. */
export const namingOf = ({ gateway, sensors }: Config): Naming => ({
  gatewayId: gateway.id,
  rules: sensors.map(({ match, clientId }) => ({ match, clientId })),
})

/** The names at the broker; where a name depends on more than the ClientId, the ClientId itself. */
export function compileNames({ gatewayId, rules }: Naming): (clientId: string) => string {
  const expand = (template: string, clientId: string): string =>
    template === '${clientId}' || variablesIn(template).includes('identity')
      ? clientId
      : expandTemplate(template, { clientId, gatewayId })
  const [{ clientId: same } = { clientId: '${clientId}' }] = rules
  if (rules.every(({ clientId }) => clientId === same)) return (clientId) => expand(same, clientId)
  const compiled = rules.map(({ match, clientId: template }) => ({ fits: globToMatcher(match), template }))
  return (clientId) =>
    expand(compiled.find(({ fits }) => fits(clientId))?.template ?? '${clientId}', clientId)
}

/**
 * The slot of each sensor, the same wherever it is asked for: that of its name at the broker, so that two that would be the same
 * client there meet in one place. `naming` is that of the start: while the gateway runs, no sensor gets another slot.
 */
export function createSlotOf(naming: Naming): (clientId: string) => number {
  const nameAtBroker = compileNames(naming)
  return (clientId) => slotOfName(nameAtBroker(clientId))
}
