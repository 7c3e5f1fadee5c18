// Brokers that say nothing at all to MQTT 5, and what is found out about them.

import { afterEach, describe, expect, it } from 'vitest'
import { Versions } from '../../src/upstream/mqtt/brokers/versions.ts'
import { startScriptedBroker } from '../support/scripted.ts'
import { connectOptions, pause, Rig } from './harness.ts'

const ends: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

describe('a broker that takes CONNECT of MQTT 5 and stays silent', () => {
  it('gets 3.1.1 after two timeouts, for all connections', async () => {
    const broker = await startScriptedBroker(
      (_, packet) => packet.cmd === 'connect' && packet.protocolVersion === 5,
    )
    ends.push(() => broker.close())
    const rig = new Rig(broker, { version: 'auto', connectTimeout: 100 })
    ends.push(() => rig.close())
    while (!rig.upstream.healthy) await pause(10)
    expect(broker.peers.map(({ version }) => version)).toEqual([5, 5, 4])
    await rig.sensor().open('sensor')
    expect(broker.peers.at(-1)).toMatchObject({ clientId: 'sensor', version: 4 })
    expect(rig.upstream.stats().version).toBe('3.1.1')
  })

  it('and closes after a while, gets 3.1.1 at once', async () => {
    const broker = await startScriptedBroker((peer, packet) => {
      if (packet.cmd !== 'connect' || packet.protocolVersion !== 5) return undefined
      setTimeout(() => peer.cut(), 50)
      return true
    })
    ends.push(() => broker.close())
    const rig = new Rig(broker, { version: 'auto' })
    ends.push(() => rig.close())
    while (!rig.upstream.healthy) await pause(10)
    expect(broker.peers.map(({ version }) => version)).toEqual([5, 4])
  })

  it('gets nothing but MQTT 5 where that is configured', async () => {
    const broker = await startScriptedBroker((_, { cmd }) => cmd === 'connect')
    ends.push(() => broker.close())
    const rig = new Rig(broker, { version: '5', connectTimeout: 30 })
    ends.push(() => rig.close())
    const sensor = rig.sensor()
    for (let i = 0; i < 4; i++) {
      sensor.connection.connect(connectOptions('sensor'))
      await sensor.next('refused')
    }
    expect(new Set(broker.peers.map(({ version }) => version))).toEqual(new Set([5]))
  })
})

describe('what is known of a broker`s version', () => {
  it('takes turns while nothing is answered', () => {
    const versions = new Versions('auto')
    const tried = Array.from({ length: 8 }, () => {
      const { preferred } = versions
      versions.fallsBack(preferred, 'silent', 0)
      return preferred
    })
    expect(tried).toEqual([5, 5, 4, 4, 5, 5, 4, 4])
  })

  it('stays 5 at a broker that has spoken it, however long it is silent', () => {
    const versions = new Versions('auto')
    versions.spoke(5, false)
    for (let i = 0; i < 5; i++) versions.fallsBack(5, 'silent', i)
    expect([versions.preferred, versions.known]).toEqual([5, true])
  })

  it('is tried anew ten minutes after 5 has failed, once each time', () => {
    const versions = new Versions('auto')
    expect(versions.fallsBack(5, 'said', 1000)).toBe(true)
    versions.spoke(4, true)
    expect([versions.toTry(600_999), versions.toTry(601_000)]).toEqual([4, 5])
    versions.fallsBack(5, 'silent', 601_000)
    expect([versions.toTry(601_001), versions.preferred]).toEqual([4, 4])
    versions.spoke(5, false)
    versions.spoke(4, false) // an attempt that began before
    expect(versions.preferred).toBe(5)
  })
})
