// What a serial line costs: the same messages, at the same rate, by UDP and over a pseudo terminal.

import { loadConfig } from '../../../src/config/load.ts'
import { hasSocat, PtyPair } from '../../ptys.ts'
import type { Row } from '../figures.ts'
import { LineOfSensors } from '../line-sensors.ts'
import { NotHere } from '../not-here.ts'
import type { Scenario } from '../scenarios.ts'
import { connectPublishers } from '../sensors.ts'
import { publishAtRate } from '../uplink.ts'
import { type Context, measureLoad } from '../window.ts'

/** Messages a second, of all sensors together. */
const RATE = 1000
const PARAMETERS = 'baud=4000000&framing=slip&node=encap'

export const ptyScenarios: readonly Scenario[] = [
  {
    name: 'pty',
    about: `${RATE} messages a second at QoS 1, by UDP and over a pseudo terminal (SLIP, encapsulated)`,
    sensors: [50],
    smallest: 3,
    withTarget: false,
    run: async (context, sensors) => [await overUdp(context, sensors), await overLine(context, sensors)],
  },
]

/** A gateway of before lines can be measured in everything else. */
function needLines(): void {
  if (!hasSocat) throw new NotHere('there is no socat')
  try {
    loadConfig({ env: {}, overrides: { listeners: [{ url: `serial:///dev/ttyS0?${PARAMETERS}` }] } })
  } catch {
    throw new NotHere('this gateway has no serial lines')
  }
}

const rateOf = ({ smallest }: Context): number => (smallest ? RATE / 20 : RATE)

async function overUdp(context: Context, count: number): Promise<Row> {
  needLines()
  const stage = await context.open()
  try {
    const fleet = await connectPublishers(stage.gateway, count, 1)
    const load = await publishAtRate(fleet, stage.broker, 1, rateOf(context))
    const figures = await measureLoad(context, stage, load)
    await load.close()
    for (const sensor of fleet.sensors) sensor.close()
    return { scenario: 'pty', variant: 'udp', sensors: count, figures }
  } finally {
    await stage.close()
  }
}

async function overLine(context: Context, count: number): Promise<Row> {
  needLines()
  const ptys = await PtyPair.open()
  const stage = await context.open({ line: `serial://${ptys.near}?${PARAMETERS}` })
  const line = await LineOfSensors.open(`serial://${ptys.far}?${PARAMETERS}`)
  try {
    const fleet = await connectPublishers(stage.gateway, count, 1, { make: line.make })
    const load = await publishAtRate(fleet, stage.broker, 1, rateOf(context))
    const figures = await measureLoad(context, stage, load)
    await load.close()
    for (const sensor of fleet.sensors) sensor.close()
    return { scenario: 'pty', variant: 'pty', sensors: count, figures }
  } finally {
    await line.close()
    await stage.close()
    await ptys.close()
  }
}
