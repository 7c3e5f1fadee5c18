// How a sensor of a chaos run sends poison, and what must become of it: the sensor is told that it will not do, or the message
// becomes a dead letter.

import { type Sensor, SensorError } from '../../src/sensor/sensor.ts'
import type { Poison } from './poison.ts'
import type { Role } from './roles.ts'
import type { Site } from './site.ts'

/** Sends it; resolves with what is wrong with the answer, if anything. Rejects with what has nothing to do with poison. */
export async function sendPoison(
  sensor: Sensor,
  role: Role,
  poison: Poison,
  site: Site,
): Promise<string | undefined> {
  site.tally.poison += 1
  try {
    if (poison.kind === 'publish') return await publishPoison(sensor, role, poison, site)
    await sensor.subscribe(poison.filter, 1)
    return poison.isForbidden ? undefined : 'was granted a subscription that the broker does not take'
  } catch (error) {
    // ReturnCode 2 would mean that the gateway has forgotten a topic id.
    if (!(error instanceof SensorError) || error.code !== 'rejected' || error.returnCode === 2) throw error
    site.tally.poisonRefused += 1
    return undefined
  }
}

async function publishPoison(
  sensor: Sensor,
  { name: sender, stores }: Role,
  { topic, name, payload, qos, isForbidden }: Poison & { kind: 'publish' },
  { deadLetters, tellsForbidden }: Site,
): Promise<string | undefined> {
  const isRefused = qos > 0 && (tellsForbidden || !isForbidden)
  const letter = { topic: name, qos, octets: payload.length }
  if (stores) deadLetters.send(sender, letter)
  await sensor.publish(topic, payload, { qos })
  if (!isRefused) return undefined
  if (!stores) return `${payload.length} octets on ${name} were acknowledged, which the broker does not take`
  deadLetters.acknowledge(sender, letter)
  return undefined
}
