// Poison: what the broker of a chaos run does not take. It hangs up at it, or refuses it, or, where it has no way to refuse, drops it.

import type { Topic } from '../../src/sensor/sensor.ts'
import { labelText } from './books.ts'
import { between, pick, type Random } from './random.ts'
import type { Named, Role } from './roles.ts'

/** Octets of the longest packet that the broker takes: over MQTT 3.1.1 it hangs up at longer ones, over MQTT 5 it says so. */
const LONGEST = 700
/** Payloads of so many different lengths, by which dead letters are told from each other; all fit a datagram. */
const LENGTHS = 300

/** Where nobody may publish. */
const FORBIDDEN = 'forbidden'

/** Lines of Mosquitto's configuration that make it a broker with poison; `acl`: the file that holds `brokerAcl`. */
export const brokerRules = (acl: string): string[] => [`max_packet_size ${LONGEST}`, `acl_file ${acl}`]

/** Who may do what at the broker. Patterns, because Mosquitto 2.0.11 forgets other rules of offline sessions when it is restarted. */
export const brokerAcl = `pattern deny ${FORBIDDEN}/#\npattern readwrite #\n`

/** A publish that the broker does not take, or a subscription. */
export type Poison =
  | {
      readonly kind: 'publish'
      readonly topic: Topic
      /** of the topic */
      readonly name: string
      readonly payload: string
      readonly qos: 0 | 1 | 2
      /** an MQTT 3.1.1 broker has no way to refuse what is forbidden: it acknowledges that, and drops it */
      readonly isForbidden: boolean
    }
  | { readonly kind: 'subscribe'; readonly filter: string; readonly isForbidden: boolean }

/** What one sensor sends now instead of an honest message. `number`: of this message. */
export function choosePoison(role: Role, number: number, random: Random): Poison {
  const { name, publishes, qos } = role
  const [first, ...more] = publishes
  const [least, ...others] = qos
  const draw = random()
  if (first === undefined || least === undefined || draw < 0.15) {
    if (random() < 0.3) return { kind: 'subscribe', filter: `${FORBIDDEN}/+`, isForbidden: true }
    return { kind: 'subscribe', filter: `poison/${name}/${'x'.repeat(LONGEST)}`, isForbidden: false }
  }
  const of = (to: Named, length: number, isForbidden: boolean): Poison => {
    const label = labelText({ sender: name, topic: to.name, number })
    const payload = `${label} `.padEnd(length, 'x')
    return {
      kind: 'publish',
      topic: to.topic,
      name: to.name,
      payload,
      qos: pick(random, [least, ...others]),
      isForbidden,
    }
  }
  const spread = number % LENGTHS
  const named = (topic: string): Named => ({ topic, name: topic })
  if (draw < 0.35) return of(named(`${FORBIDDEN}/${name}`), 100 + spread, true)
  const length = LONGEST + spread + Math.floor(between(random, 0, 2)) * LENGTHS
  return of(draw < 0.65 ? named(`poison/${name}`) : pick(random, [first, ...more]), length, false)
}
