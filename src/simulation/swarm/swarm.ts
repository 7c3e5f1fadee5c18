// Thousands of sensors in one process, to load a gateway, and to check it: with --verify every acknowledged message
// must arrive at the broker, and every message from the broker at its sensor, awake or asleep. Exit code 1 if not.
// The limits of gateway and broker for queued messages must be above what --downlink sends to one sleeping sensor.

import { pause } from '../../sensor/pause.ts'
import type { Simulation, SimulationContext } from '../simulation.ts'
import { openBrokerClient } from './broker-client.ts'
import { SwarmRun } from './run.ts'

export const swarm: Simulation = {
  name: 'swarm',
  about: 'runs many sensors of mixed kinds at once and, with --verify, checks that nothing is lost',
  interval: 10_000,
  duration: 60_000,
  isMany: true,
  settings: {
    sensors: { about: 'how many', default: '100' },
    rate: { about: 'connection attempts per second', default: '100' },
    verify: { about: 'broker to check against, such as 127.0.0.1:1883', default: '' },
    downlink: { about: 'messages per second to random sensors; needs --verify', default: '5' },
    settle: { about: 'seconds to wait at the end, besides three intervals', default: '10' },
    report: { about: 'seconds between two summary lines', default: '5' },
  },
  async run(context) {
    const size = {
      sensors: number(context, 'sensors'),
      rate: number(context, 'rate'),
      downlink: number(context, 'downlink'),
    }
    const report = number(context, 'report') * 1000
    const settle = number(context, 'settle') * 1000
    const { verify } = context.settings
    const url = verify && (verify.includes('://') ? verify : `mqtt://${verify}`)
    const sensor = context.sensorOptions.clientId
    const note = (text: string) => context.say({ sensor, type: 'note', text: `broker: ${text}` })
    const broker = url ? await openBrokerClient(url, `${sensor}-books`, note) : undefined
    const run = new SwarmRun(context, size, broker)
    const timers = [setInterval(() => run.tick(), 100), setInterval(() => run.report(), report)]
    try {
      await run.begin()
      await pause(2 ** 31 - 1, context.signal)
      await run.settle(settle + 3 * context.interval)
      run.conclude()
    } finally {
      for (const timer of timers) clearInterval(timer)
      await run.leave()
      await broker?.close()
    }
  },
}

function number({ settings }: SimulationContext, name: string): number {
  const value = Number(settings[name])
  if (value >= 0 && value <= 1_000_000) return value
  throw new Error(`--${name}: expected a number, got ${settings[name]}`)
}
