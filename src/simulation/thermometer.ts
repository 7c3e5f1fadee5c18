// A thermometer: a drifting temperature at QoS 0.

import { createSensor, runSensor, type Simulation } from './simulation.ts'

export const thermometer: Simulation = {
  name: 'thermometer',
  about: 'publishes a drifting temperature at QoS 0 on thermometer/<client id>/celsius',
  interval: 2000,
  async run(context) {
    const sensor = createSensor(context)
    let celsius = 20
    await runSensor(context, sensor, async () => {
      celsius += Math.random() - 0.5
      await sensor.publish(`thermometer/${sensor.clientId}/celsius`, celsius.toFixed(1))
    })
  },
}
