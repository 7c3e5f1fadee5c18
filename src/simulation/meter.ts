// An electricity meter: what must be counted exactly once goes out at QoS 2.

import { createSensor, runSensor, type Simulation } from './simulation.ts'

export const meter: Simulation = {
  name: 'meter',
  about: 'publishes the watt hours since the last message at QoS 2 on meter/<client id>/used',
  interval: 5000,
  async run(context) {
    const sensor = createSensor(context)
    let used = 0
    await runSensor(context, sensor, async () => {
      used += Math.ceil(Math.random() * 50)
      await sensor.publish(`meter/${sensor.clientId}/used`, String(used), { qos: 2 })
      // Reset only after delivery: what could not be delivered is part of the next reading.
      used = 0
    })
  },
}
