// Twins in a chaos run: two devices with one ClientId, which take the connection from each other. Neither can count on anything but
// this: what was acknowledged to one of them arrives, and nobody else is disturbed.

import { pause } from '../../src/sensor/pause.ts'
import { Sensor, SensorError } from '../../src/sensor/sensor.ts'
import type { Air } from './air.ts'
import { labelText } from './books.ts'
import { between, seeded } from './random.ts'
import type { Site } from './site.ts'

/** Their ClientId. */
export const TWIN = 'twin'
/** Milliseconds until a twin repeats itself, and how often it does: it gives up soon. */
const [T_RETRY, N_RETRY] = [200, 8]
const TOPIC = `up/${TWIN}/x`

/** Both live until `until` is aborted. Never rejects, but for bugs. */
export async function liveAsTwins(
  airs: readonly Air[],
  site: Site,
  round: number,
  until: AbortSignal,
): Promise<void> {
  await Promise.all(airs.map((air, index) => liveAsTwin(air, site, `${round}/${index}`, until)))
}

async function liveAsTwin(air: Air, site: Site, life: string, until: AbortSignal): Promise<void> {
  const random = seeded(site.seed, life, TWIN)
  while (!until.aborted) {
    const sensor = new Sensor({
      gateway: site.gateway,
      transport: air,
      clientId: TWIN,
      tRetry: T_RETRY,
      nRetry: N_RETRY,
    })
    try {
      await sensor.connect()
      while (!until.aborted) {
        await publishOne(sensor, site)
        await pause(between(random, 20, 120), until)
      }
    } catch (error) {
      if (!(error instanceof SensorError)) throw error
    }
    if (until.aborted) await sensor.end(1000)
    else sensor.close()
    await pause(between(random, 100, 600), until)
  }
}

async function publishOne(sensor: Sensor, { up, nextNumber }: Site): Promise<void> {
  const label = { sender: TWIN, topic: TOPIC, number: nextNumber() }
  up.send(label, 'witness', 1)
  await sensor.publish(TOPIC, labelText(label), { qos: 1 })
  up.acknowledge(label.number, 'witness')
}
