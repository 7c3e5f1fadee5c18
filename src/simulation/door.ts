// A door contact: opened and closed at QoS 1, retained, with a will for the case that it goes missing.

import { createSensor, runSensor, type Simulation } from './simulation.ts'

export const door: Simulation = {
  name: 'door',
  about: 'publishes open or closed at QoS 1 on door/<client id>, with a will that says lost',
  interval: 5000,
  async run(context) {
    const topic = `door/${context.sensorOptions.clientId}`
    const sensor = createSensor(context, { will: { topic, message: 'lost', qos: 1, retain: true } })
    let open = false
    await runSensor(context, sensor, async () => {
      open = !open
      await sensor.publish(topic, open ? 'open' : 'closed', { qos: 1, retain: true })
    })
  },
}
