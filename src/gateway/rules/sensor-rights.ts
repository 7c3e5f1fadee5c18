// Who a sensor has to be to have its ClientId, and what it may publish and subscribe: the rules filled in for one sensor.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this variable is filled in by the gateway

import type { SensorRule } from '../../config/schema.ts'
import { filledGlobToMatcher } from '../../config/sections/glob.ts'
import { expandTemplate, variablesIn } from '../../config/sections/template.ts'
import type { Policy, Who } from '../../session/policy.ts'
import type { Permission } from '../../session/topics/permission.ts'

/** What a rule says of a sensor's rights. */
export interface Rights {
  readonly policy: Pick<Policy, 'mayBe' | 'publish' | 'subscribe'>
  /** it holds for this sensor alone */
  readonly isPersonal: boolean
}

/** The values of variables that stand for the sensor. */
export const variablesOf = ({
  clientId,
  identity,
}: Who): { clientId: string; identity?: string | undefined } => ({
  clientId,
  identity,
})

/**
 * What stands for the sensor in a topic filter must be part of one level: otherwise a sensor named `#` would have a filter that
 * matches everything, and one named `a/b` what belongs to `a`.
 */
const fitsLevel = (value: string | undefined): boolean => value !== undefined && !/[/+#]/.test(value)

/** Whether every variable in the template has a value that may stand in a filter. */
const isFillable = (template: string, values: ReturnType<typeof variablesOf>): boolean =>
  variablesIn(template).every((name) =>
    name !== 'clientId' && name !== 'identity' ? false : fitsLevel(values[name]),
  )

function permissionOf(filters: readonly string[] | undefined, who: Who): Permission | undefined {
  if (filters === undefined) return undefined
  const values = variablesOf(who)
  const permission = { allowed: [] as string[], except: [] as string[] }
  for (const each of filters) {
    const isException = each.startsWith('!')
    const template = isException ? each.slice(1) : each
    if (isFillable(template, values))
      permission[isException ? 'except' : 'allowed'].push(expandTemplate(template, values))
    else if (isException) return { allowed: [], except: [] } // what is excepted cannot be told
  }
  return permission
}

/** Which identities may have the ClientId. Without patterns: the same as it, or none on a link that proves none. */
function identityTest(patterns: readonly string[] | undefined, clientId: string): Policy['mayBe'] {
  if (patterns === undefined) return (identity) => identity === undefined || identity === clientId
  const fits = patterns.map((pattern) => filledGlobToMatcher(pattern, '${clientId}', clientId))
  return (identity) => identity !== undefined && fits.some((matches) => matches(identity))
}

/** Compiles a rule once. */
export function compileRights(rule: SensorRule): (who: Who) => Rights {
  const templates = [...(rule.identity ?? []), ...(rule.publish ?? []), ...(rule.subscribe ?? [])]
  const hasVariables = templates.some((template) => variablesIn(template).length > 0)
  const rightsOf = (who: Who): Rights['policy'] => ({
    mayBe: identityTest(rule.identity, who.clientId),
    publish: permissionOf(rule.publish, who),
    subscribe: permissionOf(rule.subscribe, who),
  })
  return (who) => {
    // without an identity, and without variables, everybody has the same rights
    const comparesNames = rule.identity === undefined && who.identity !== undefined
    return { policy: rightsOf(who), isPersonal: hasVariables || comparesNames }
  }
}
