// A button that is off until somebody presses it: QoS -1 needs no connection and gets no answer [6.8].

import { createSensor, type Simulation } from './simulation.ts'

export const button: Simulation = {
  name: 'button',
  about: 'publishes presses at QoS -1, without a connection, on a short topic or a predefined topic id',
  interval: 3000,
  settings: {
    short: { about: 'short topic name, two characters', default: 'bt' },
    predefined: { about: 'predefined topic id to use instead', default: '' },
  },
  async run(context) {
    const { short = '', predefined } = context.settings
    const topic = predefined ? { predefined: Number(predefined) } : { short }
    const sensor = createSensor(context)
    while (!context.signal.aborted) {
      await sensor.publish(topic, 'pressed', { qos: -1 })
      await context.pause(context.interval)
    }
    sensor.close()
  },
}
