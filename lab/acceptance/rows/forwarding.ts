// What a hop costs: sensors speak to the nodes that serve them, and then each to another one, at the same rate; the difference of the
// processor time of all nodes is what the way over a link and back costs.

import { slotOfName } from '../../../src/sessions/slots.ts'
import { connectPublishers, type Endpoint, LightSensor } from '../../bench/sensors.ts'
import { publishAtRate } from '../../bench/uplink.ts'
import { usage } from '../../processes.ts'
import { type Cost, costOf } from '../cost.ts'
import { RATE } from '../goals.ts'
import type { Measured } from '../report.ts'
import { AcceptanceSite, type SiteOptions } from '../site.ts'

const SENSORS = 500
const TIMES = { warm: 2000, duration: 8000 }
/** Of the rate that is wanted, what must be reached: few at a time cost more each. */
const LEAST = 0.9
/** Pairs of measurements, whose order changes. */
const PAIRS = 2

/** Messages at QoS 1, there and back. */
export async function forward(
  options: Pick<SiteOptions, 'entry' | 'keep' | 'tRetry' | 'signal'>,
  say: (line: string) => void,
): Promise<readonly Measured[]> {
  const site = await AcceptanceSite.open(options)
  try {
    await site.isEven()
    const costs: Record<'own' | 'other', Cost[]> = { own: [], other: [] }
    for (let pair = 0; pair < PAIRS && !options.signal.aborted; pair += 1)
      for (const kind of pair % 2 === 0 ? (['own', 'other'] as const) : (['other', 'own'] as const)) {
        const cost = await measure(site, kind, `${kind}${pair}-`, options.signal)
        costs[kind].push(cost)
        say(`  to ${kind} nodes: ${cost.each.toFixed(1)} µs each, ${cost.perSecond.toFixed(0)} a second`)
      }
    const mean = (all: readonly Cost[], of: keyof Cost) =>
      all.reduce((sum, cost) => sum + cost[of], 0) / all.length
    const reached = Math.min(mean(costs.own, 'perSecond'), mean(costs.other, 'perSecond'))
    if (reached < RATE * LEAST) {
      say(`  this machine does not reach ${RATE} messages a second now: forwarding is not measured`)
      return []
    }
    const value = mean(costs.other, 'each') - mean(costs.own, 'each')
    const note = `${mean(costs.own, 'each').toFixed(0)} µs without it, at ${mean(costs.other, 'perSecond').toFixed(0)}/s`
    return [{ id: 'forwarding-cost', value, note }]
  } finally {
    await site.close()
  }
}

async function measure(
  site: AcceptanceSite,
  kind: 'own' | 'other',
  prefix: string,
  signal: AbortSignal,
): Promise<Cost> {
  const [told] = await site.told()
  const { all } = site.nodes
  const nameOf = (clientId: string) => told?.members[told.owners[slotOfName(clientId)] ?? -1]?.node
  const endpointOf = (clientId: string): Endpoint => {
    const owner = all.findIndex(({ name }) => name === nameOf(clientId))
    const node = all[(owner + (kind === 'own' ? 0 : 1)) % all.length]
    if (owner === -1 || node === undefined) throw new Error(`nobody serves ${clientId}`)
    return { host: node.address, port: node.port }
  }
  const { port } = site.mosquitto
  const somewhere = { host: '127.0.0.1', port: 0 }
  const make = (_: Endpoint, clientId: string) => new LightSensor(endpointOf(clientId))
  const fleet = await connectPublishers(somewhere, SENSORS, 1, { prefix, make })
  try {
    const load = await publishAtRate(fleet, { host: '127.0.0.1', port }, 1, RATE, `${prefix}/#`)
    const spent = () => all.reduce((sum, { process }) => sum + usage(process.pid).cpu, 0)
    const cost = await costOf(load, spent, TIMES, signal)
    await load.close()
    return cost
  } finally {
    for (const sensor of fleet.sensors) sensor.close()
  }
}
