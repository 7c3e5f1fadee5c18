// Compiles the configuration for the session core: its settings, and the rules for each sensor.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these variables are filled in by the gateway

import type { Config, PredefinedTopics, SensorRule } from '../../config/schema.ts'
import { globToMatcher, matchesEverything } from '../../config/sections/glob.ts'
import { peerBound } from '../../config/sections/peers.ts'
import { expandTemplate } from '../../config/sections/template.ts'
import type { SensorLabel } from '../../console/contract/sensors.ts'
import { isTopicName } from '../../mqtt-topics.ts'
import type { Env, Policy, Predefined, Settings, Who } from '../../session/policy.ts'
import type { Identity } from '../../upstream/upstream.ts'
import { asksAdmission } from '../admission/admit.ts'
import { poolOf } from './pools.ts'
import { ageOf, compileQueues } from './queue-rules.ts'
import { compileRights, type Rights, variablesOf } from './sensor-rights.ts'

/** Most ClientIds whose rules are remembered. */
const MOST_POLICIES = 20_000

interface Rule {
  readonly rule: SensorRule
  fits(clientId: string): boolean
  /** what the rule itself says; the rest is the same for most sensors */
  readonly policy: Omit<Policy, 'predefined' | 'queueFor' | 'mayBe' | 'publish' | 'subscribe'>
  /** what it says of the sensor's identity and of what it may do; the same object for all unless they have variables */
  readonly rightsOf: (who: Who) => Rights
  /** the whole of it, by how messages wait, for sensors without predefined topics of their own */
  readonly shared: WeakMap<Policy['queueFor'], Policy>
}

/** What the session core works with, and who each sensor is at the broker. */
export interface SensorRules {
  readonly env: Env
  identityOf(who: Who): Identity
  /** what its rule calls a sensor, if anything */
  labelOf(clientId: string): SensorLabel | undefined
  /** the pattern of the rule that counts for it */
  matchOf(who: Who): string
  /** The gateway itself has these ClientIds at the broker: no sensor may. */
  reserve(names: Pick<ReadonlySet<string>, 'has'>): void
  /** Takes other rules and settings; a session has its old policy until it is given the one of `env.policyFor`. */
  replace(config: Config): void
}

/** Compiles the configuration's rules once; `random` is 0 <= x < 1. */
export function createSensorRules(config: Config, random: () => number): SensorRules {
  let rules = compileRules(config)
  let own: Pick<ReadonlySet<string>, 'has'> = new Set()
  const env = {
    settings: rules.settings,
    totals: { queuedMessages: 0, queuedOctets: 0 },
    spooled: { messages: 0, octets: 0 },
    deadLetters: { messages: 0, octets: 0 },
    policyFor: (who: Who): Policy => rules.policyFor(who),
    nameAtBroker: (who: Who): string => rules.nameAtBroker(who),
    isOwnName: (name: string): boolean => own.has(name),
    random,
  }
  return {
    env,
    identityOf: (who) => rules.identityOf(who),
    labelOf: (clientId) => rules.labelOf(clientId),
    matchOf: (who) => rules.matchOf(who),
    reserve(names) {
      own = names
    },
    replace(next) {
      rules = compileRules(next)
      env.settings = rules.settings
    },
  }
}

/** All that follows from one configuration. */
interface Rules
  extends Pick<Env, 'settings' | 'policyFor' | 'nameAtBroker'>,
    Pick<SensorRules, 'identityOf' | 'matchOf' | 'labelOf'> {}

function compileRules(config: Config): Rules {
  const rules = config.sensors.map((rule) => compile(rule, config))
  const queuesFor = compileQueues(config)
  const global = tableOf(config.predefined.filter(({ match }) => matchesEverything(match)))
  const special = config.predefined
    .filter(({ match }) => !matchesEverything(match))
    .map((entry) => ({ entry, fits: globToMatcher(entry.match) }))
  const gatewayId = config.gateway.id

  const predefinedFor = (who: Who): Predefined => {
    const { clientId } = who
    const own = special.filter(({ fits }) => fits(clientId)).map(({ entry }) => entry)
    if (own.length === 0) return global
    return tableOf([{ match: '*', topics: Object.fromEntries(global.byId) }, ...own], who)
  }
  const ruleFor = ({ clientId, rule: wanted }: Who): Rule => {
    const named = wanted === undefined ? undefined : rules.find(({ rule }) => rule.match === wanted)
    const found = named ?? rules.find(({ fits }) => fits(clientId))
    if (found === undefined) throw new Error('the rules end with one for every sensor')
    return found
  }
  function findPolicy(who: Who): Policy {
    const { policy: own, shared, rightsOf } = ruleFor(who)
    const [predefined, queueFor, rights] = [predefinedFor(who), queuesFor(who.clientId), rightsOf(who)]
    if (predefined !== global || rights.isPersonal) return { ...own, ...rights.policy, predefined, queueFor }
    const known = shared.get(queueFor)
    if (known !== undefined) return known
    const policy = { ...own, ...rights.policy, predefined, queueFor }
    shared.set(queueFor, policy)
    return policy
  }
  const nameAtBroker = (who: Who): string => {
    const { clientId: name } = ruleFor(who).rule
    return name === '${clientId}' ? who.clientId : expandTemplate(name, { ...variablesOf(who), gatewayId })
  }
  const policies = new Map<string, Policy>()
  return {
    settings: settingsOf(config, global),
    policyFor(who) {
      const { clientId, identity, rule } = who
      const key =
        identity === undefined && rule === undefined ? clientId : JSON.stringify([clientId, identity, rule])
      let policy = policies.get(key)
      if (policy === undefined) {
        policy = findPolicy(who)
        if (policies.size >= MOST_POLICIES) policies.clear()
        policies.set(key, policy)
      }
      return policy
    },
    matchOf: (who) => ruleFor(who).rule.match,
    labelOf(clientId) {
      const { name, description, tags } = ruleFor({ clientId }).rule
      if (name === undefined && description === undefined && tags.length === 0) return undefined
      return { name: name && expandTemplate(name, { clientId, gatewayId }), description, tags }
    },
    nameAtBroker,
    identityOf(who) {
      const { rule } = ruleFor(who)
      const fill = (text: string | undefined) =>
        text && expandTemplate(text, { ...variablesOf(who), gatewayId })
      return {
        clientId: nameAtBroker(who),
        username: fill(rule.username),
        password: fill(rule.password),
        cert: rule.cert,
        key: rule.key,
      }
    },
  }
}

function compile(rule: SensorRule, { limits, broker, store }: Config): Rule {
  return {
    rule,
    fits: globToMatcher(rule.match),
    policy: {
      denied: rule.deny,
      mayComeFrom: peerBound(rule.from),
      asleepConnect: rule.asleepConnect,
      reRegister: rule.reRegister,
      maxMessageSize: rule.maxMessageSize,
      messagesPerWake: rule.messagesPerWake ?? limits.messagesPerWake,
      ack: rule.ack,
      spool: { ...rule.spool, age: ageOf(rule.spool.age) },
      pool: poolOf(rule, broker),
      heardEvery: heardEveryOf(store),
    },
    rightsOf: compileRights(rule),
    shared: new WeakMap(),
  }
}

/** On a database server each write is one for several machines: it has far fewer of them. */
function heardEveryOf({ heardEvery, type }: Config['store']): Policy['heardEvery'] {
  if (heardEvery !== 'auto') return heardEvery
  return type === 'postgres' ? 'keepAlive' : undefined
}

/** Ids and names both ways; a name with variables that comes out illegal is left out. Later entries win. */
export function tableOf(entries: readonly PredefinedTopics[], who?: Who): Predefined {
  const byId = new Map<number, string>()
  for (const { topics } of entries) {
    for (const [id, template] of Object.entries(topics)) {
      const name = who === undefined ? template : expandTemplate(template, variablesOf(who))
      if (isTopicName(name)) byId.set(Number(id), name)
    }
  }
  return { byId, byName: new Map([...byId].map(([id, name]) => [name, id])) }
}

function settingsOf(config: Config, predefined: Predefined): Settings {
  const { timers, limits, broker, qosMinusOne } = config
  return {
    timers: {
      ...timers,
      connect: broker.connectTimeout,
      grace: broker.grace,
      reconnectMin: broker.reconnect.min,
      reconnectMax: broker.reconnect.max,
    },
    limits: { ...limits, sensorsPerAddress: limits.sensorsPerAddress ?? Math.ceil(limits.sensors * 0.75) },
    qosMinusOne: { ...qosMinusOne, mayComeFrom: peerBound(qosMinusOne.from) },
    predefined,
    asksAdmission: asksAdmission(config),
  }
}
