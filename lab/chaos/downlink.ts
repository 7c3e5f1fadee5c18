// Messages to sensors in a chaos run, from an MQTT client of the broker.

import { pause } from '../../src/sensor/pause.ts'
import type { BrokerClient } from '../../src/simulation/swarm/broker-client.ts'
import { labelText } from './books.ts'
import { between, pick, seeded } from './random.ts'
import { targets } from './roles.ts'
import type { Site } from './site.ts'

/** Milliseconds between two messages. */
const PACE = 20

/** Sends them, and enters them in the books. */
export class Downlink {
  readonly #site: Site
  /** messages that the broker has not acknowledged */
  outstanding = 0

  constructor(site: Site) {
    this.#site = site
  }

  /** Sends as fast as the seed says and the broker takes them, until `until` is aborted. */
  async send(publisher: BrokerClient, round: number, until: AbortSignal): Promise<void> {
    const { seed, down, nextNumber, ended } = this.#site
    const random = seeded(seed, round, 'down')
    const [first, ...others] = targets
    if (first === undefined) return
    while (!until.aborted) {
      await pause(between(random, 0, 2 * PACE), until)
      const { name: topic, receivers } = pick(random, [first, ...others])
      const qos = random() < 0.5 ? 1 : 2
      if (this.outstanding >= publisher.window || ended.aborted) continue
      const label = { sender: 'publisher', topic, number: nextNumber() }
      for (const { sensor, qos: granted } of receivers) down.send(label, sensor, Math.min(qos, granted))
      this.outstanding += 1
      publisher
        .publish(topic, labelText(label), qos)
        .then(() => {
          for (const { sensor } of receivers) down.acknowledge(label.number, sensor)
        })
        .catch((error: unknown) => {
          if (!ended.aborted)
            this.#site.onFault('publisher', error instanceof Error ? error.message : String(error))
        })
        .finally(() => {
          this.outstanding -= 1
        })
    }
  }
}
