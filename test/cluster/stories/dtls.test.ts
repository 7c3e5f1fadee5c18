// Nodes that share their sensors, some of which speak DTLS: their sessions are found through any node, and outlive each.

import { expect, it } from 'vitest'
import { freePort, haveMosquitto } from '../../support/broker.ts'
import { CLUSTER_START, type NodeProcess, Pair } from '../../support/cluster.ts'
import { KEYS } from '../../support/dtls-scene.ts'
import { hasPostgres } from '../../support/postgres.ts'
import { SecureSensor } from '../../support/secure-sensor.ts'
import { infoOf, settled, startSharing } from '../../support/sharing-nodes.ts'

it.runIf(hasPostgres && haveMosquitto)(
  'sensors with DTLS go on through any node without a handshake, also when one of them dies, comes back, and is stopped [DTLS-RUN-1]',
  async () => {
    const pair = await Pair.open()
    const port = await freePort()
    const start = (n: number): Promise<NodeProcess> =>
      startSharing(pair, n, {
        listeners: [{ name: 'field', url: `dtls://127.0.0.${n}:${port}`, dtls: { psk: { keys: KEYS } } }],
      })
    const [a, b] = await Promise.all([start(11), start(12)])
    if (!a || !b) throw new Error('two nodes')
    await settled([a, b])
    const sensors = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        // two of them are known by their address only
        SecureSensor.open(`meter-${i + 1}`, i % 2 ? a : b, port, i < 2 ? { connectionIdLength: 'off' } : {}),
      ),
    )
    for (const way of [b, a]) for (const one of sensors) await one.goesOn(pair, way)
    expect((await infoOf(a)).links?.forwarded).toBeGreaterThan(3)

    b.signal('SIGKILL')
    for (const one of sensors) await one.goesOn(pair, a)
    const back = await start(12)
    await settled([a, back])
    for (const one of sensors) await one.goesOn(pair, back)

    a.signal('SIGTERM')
    for (const one of sensors) await one.goesOn(pair, back)
    expect(await a.exited).toBe(0)
    const late = await SecureSensor.open('meter-9', back, port)
    for (const one of [...sensors, late]) await one.goesOn(pair, back)
  },
  2 * CLUSTER_START,
)
