// A sensor on another radio network, behind a forwarder that puts each datagram into an encapsulation [5.5].
// The gateway must allow forwarders at this address.

import { createSensor, runSensor, type Simulation } from './simulation.ts'

export const forwarded: Simulation = {
  name: 'forwarded',
  about: 'publishes humidity at QoS 1 on forwarded/<client id>/humidity as a node behind a forwarder',
  interval: 5000,
  settings: { node: { about: 'wireless node id in hex', default: 'a1b2' } },
  async run(context) {
    const { node = '' } = context.settings
    const nodeId = context.sensorOptions.nodeId ?? Buffer.from(node, 'hex')
    const sensor = createSensor(context, { nodeId })
    let humidity = 55
    await runSensor(context, sensor, async () => {
      humidity = Math.min(100, Math.max(0, humidity + Math.round(Math.random() * 4 - 2)))
      await sensor.publish(`forwarded/${sensor.clientId}/humidity`, String(humidity), { qos: 1 })
    })
  },
}
