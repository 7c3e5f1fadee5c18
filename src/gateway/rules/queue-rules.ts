// Compiles the section `queues`: which rule a message for a sensor waits under, by ClientId and topic [6.14].

import type { Config, QueueRule } from '../../config/schema.ts'
import { globToMatcher } from '../../config/sections/glob.ts'
import { matches } from '../../mqtt-topics.ts'
import type { QueuePolicy } from '../../session/policy.ts'

/** How a message of this topic waits. */
type QueueFor = (topic: string) => QueuePolicy

interface Rule {
  fits(clientId: string): boolean
  readonly topics: readonly string[]
  readonly policy: QueuePolicy
}

/** Topics remembered per set of rules, and the longest that is remembered: what brokers send must not exhaust memory. */
const MOST_TOPICS = 5000
const LONGEST_TOPIC = 256

/** Sets of rules remembered; sensors that the same rules fit share one. */
const MOST_SETS = 1000

/** The age of a message in milliseconds after which it is too old; 0 in the configuration stands for "never". */
export const ageOf = (ms: number): number => (ms === 0 ? Number.POSITIVE_INFINITY : ms)

/** Compiles the rules once; without any, every sensor gets the same function that gives the same object. */
export function compileQueues({ queues, limits }: Config): (clientId: string) => QueueFor {
  const otherwise: QueuePolicy = {
    messages: limits.queuedMessages,
    octets: limits.queuedOctets,
    age: Number.POSITIVE_INFINITY,
    overflow: 'drop-oldest',
    qos0: true,
  }
  const always: QueueFor = () => otherwise
  const rules = queues.map((rule) => compile(rule, otherwise))
  const sets = new Map<string, QueueFor>()
  return (clientId) => {
    const fitting = rules.filter(({ fits }) => fits(clientId))
    if (fitting.length === 0) return always
    const key = fitting.map((rule) => rules.indexOf(rule)).join()
    let queueFor = sets.get(key)
    if (queueFor === undefined) {
      queueFor = remembering(fitting, otherwise)
      if (sets.size >= MOST_SETS) sets.clear()
      sets.set(key, queueFor)
    }
    return queueFor
  }
}

function compile(
  { match, topics, messages, octets, age, overflow, qos0 }: QueueRule,
  otherwise: QueuePolicy,
): Rule {
  return {
    fits: globToMatcher(match),
    topics,
    policy: {
      messages: messages ?? otherwise.messages,
      octets: octets ?? otherwise.octets,
      age: ageOf(age),
      overflow,
      qos0,
    },
  }
}

function remembering(rules: readonly Rule[], otherwise: QueuePolicy): QueueFor {
  const first = rules[0]
  if (first?.topics.includes('#')) return () => first.policy
  const find: QueueFor = (topic) =>
    rules.find(({ topics }) => topics.some((filter) => filter === '#' || matches(filter, topic)))?.policy ??
    otherwise
  const known = new Map<string, QueuePolicy>()
  return (topic) => {
    let policy = known.get(topic)
    if (policy === undefined) {
      policy = find(topic)
      if (topic.length > LONGEST_TOPIC) return policy
      if (known.size >= MOST_TOPICS) known.clear()
      known.set(topic, policy)
    }
    return policy
  }
}
