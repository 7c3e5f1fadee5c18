// Nodes of several threads: the lease is kept by the first one, and holds for all.

import { expect, it } from 'vitest'
import { haveMosquitto } from '../../support/broker.ts'
import { CLUSTER_START, Pair } from '../../support/cluster.ts'
import { until } from '../../support/gateway.ts'
import { hasPostgres } from '../../support/postgres.ts'

it.runIf(hasPostgres && haveMosquitto)(
  'nodes of two workers take over from each other, and one that wakes up too late ends with 3',
  async () => {
    const pair = await Pair.open()
    const options = { compiled: true, more: { workers: 2 } }
    const [active, standby] = await pair.nodes(options)
    expect(await standby.ready()).toEqual({ status: 503, reasons: ['standing by: node gw-11 serves'] })
    // whoever waits can be looked at as well
    for (const path of ['gateway', 'broker', 'store', 'cluster', 'sensors'])
      expect([path, (await fetch(`${standby.console}/api/${path}`)).status]).toEqual([path, 200])
    const sensors = await Promise.all([1, 2, 3, 4].map(() => pair.sensor(active)))
    const topicIds = await Promise.all(
      sensors.map(async (sensor, i) => {
        await sensor.connect(`sensor-${i}`, { will: `will/${i}` })
        return sensor.register(`up/${i}`)
      }),
    )
    active.signal('SIGSTOP')
    for (const sensor of sensors) sensor.turnTo(standby)
    const codes = await Promise.all(sensors.map((sensor, i) => sensor.publish(topicIds[i] ?? 0, 'after')))
    expect(codes).toEqual([0, 0, 0, 0])
    active.signal('SIGCONT')
    expect(await active.exited).toBe(3)
    await until(() => pair.published.filter((one) => one.endsWith(' after')).length === 4, 20_000)
    expect(pair.published.filter((one) => one.startsWith('will/'))).toEqual([])
    const back = await pair.node(11, options)
    await back.standsBy()
    standby.signal('SIGTERM')
    expect(await standby.exited).toBe(0)
    await back.isReady()
    for (const sensor of sensors) sensor.turnTo(back)
    const again = await Promise.all(sensors.map((sensor, i) => sensor.publish(topicIds[i] ?? 0, 'again')))
    expect(again).toEqual([0, 0, 0, 0])
    for (const sensor of sensors) expect(sensor.peer.types()).not.toContain('disconnect')
  },
  CLUSTER_START,
)
