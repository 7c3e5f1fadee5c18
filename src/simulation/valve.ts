// A radiator valve on a battery: it sleeps, fetches its set-point on waking, and reports where it stands.
//   mosquitto_pub -q 1 -t valve/valve-1/setpoint -m 40      while this one runs with --client-id valve-1

import { createSensor, runSensor, type Simulation } from './simulation.ts'

export const valve: Simulation = {
  name: 'valve',
  about: 'sleeps; on waking fetches valve/<client id>/setpoint and reports valve/<client id>/position',
  interval: 5000,
  async run(context) {
    const sensor = createSensor(context, { cleanSession: false })
    let position = 0
    let setpoint = 50
    sensor.on('message', ({ payload }) => {
      const wanted = Number.parseFloat(Buffer.from(payload).toString())
      if (wanted >= 0 && wanted <= 100) setpoint = wanted
    })
    // Twice the interval, so that one lost datagram does not make it a lost sensor.
    const seconds = Math.ceil((2 * context.interval) / 1000)
    const report = async () => {
      await sensor.publish(`valve/${sensor.clientId}/position`, String(position), { qos: 1 })
      await sensor.sleep(seconds)
    }
    const step = async () => {
      if (sensor.state === 'asleep') await sensor.wake()
      if (position === setpoint) return
      // A sleeping sensor has to send CONNECT before it may publish [6.14].
      if (sensor.state === 'asleep') await sensor.connect()
      position = setpoint
      await report()
    }
    const begin = async () => {
      await sensor.subscribe(`valve/${sensor.clientId}/setpoint`, 1)
      await report()
    }
    await runSensor(context, sensor, step, begin)
  },
}
