// Brokers without QoS 2 or retained messages: what they say, what their answers show, and what the configuration knows.

import type { IConnackPacket, IConnectPacket, IPublishPacket, Packet } from 'mqtt-packet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { UpstreamOptions } from '../../src/upstream/upstream.ts'
import { type ScriptedBroker, type ScriptedPeer, startScriptedBroker } from '../support/scripted.ts'
import { bytes, connectOptions, Rig } from './harness.ts'

const ID = 'sensor'
type Properties = NonNullable<IConnackPacket['properties']>

describe('a broker that cannot do everything', () => {
  let broker: ScriptedBroker
  const rigs: Rig[] = []

  beforeEach(async () => {
    broker = await startScriptedBroker()
  })

  afterEach(async () => {
    for (const rig of rigs.splice(0)) await rig.close()
    await broker.close()
  })

  function rig(changes: Partial<UpstreamOptions> = {}): Rig {
    const made = new Rig(broker, { version: '5', unsupported: 'downgrade', ...changes })
    rigs.push(made)
    return made
  }

  /** Every CONNECT is accepted with these properties. */
  function says(
    properties: Properties,
    act: (peer: ScriptedPeer, packet: Packet) => true | undefined = () => undefined,
  ) {
    broker.script = (peer, packet) => {
      if (act(peer, packet) === true) return true
      if (packet.cmd !== 'connect') return undefined
      peer.send({ cmd: 'connack', sessionPresent: false, returnCode: 0, reasonCode: 0, properties })
      return true
    }
  }

  /** What came from the sensors' connections. */
  const sent = <T extends Packet['cmd']>(cmd: T) =>
    broker.peers
      .filter(({ clientId }) => clientId.startsWith(ID))
      .flatMap(({ packets }) => packets.filter((packet) => packet.cmd === cmd)) as Extract<
      Packet,
      { cmd: T }
    >[]
  const publishes = () => sent('publish').map(({ qos, retain }: IPublishPacket) => [qos, retain])
  const wills = () => sent('connect').map(({ will }: IConnectPacket) => [will?.qos, will?.retain])

  it.each([
    [1, 2, 1],
    [1, 1, 1],
    [0, 2, 0],
    [0, 1, 0],
  ] as const)(
    'that has QoS %i at most gets QoS %i as QoS %i, and the message is answered once',
    async (maximumQoS, asked, qos) => {
      says({ maximumQoS })
      const sensor = rig().sensor()
      const { limits } = await sensor.open(ID)
      expect(limits).toMatchObject({ maximumQos: 2, retainAvailable: true })
      sensor.connection.publish(7, 'a', bytes('x'), asked, false, false)
      expect(await sensor.next('published')).toEqual({ type: 'published', token: 7, outcome: 0 })
      sensor.connection.publish(8, 'a', bytes('x'), 1, false, false)
      expect(await sensor.next('published')).toMatchObject({ token: 8 })
      await broker.saw(({ cmd }) => cmd === 'publish')
      expect(publishes()[0]).toEqual([qos, false])
      expect(sensor.count('received')).toBe(0)
    },
  )

  it('that retains nothing gets messages without retain', async () => {
    says({ retainAvailable: false })
    const sensor = rig().sensor()
    await sensor.open(ID)
    sensor.connection.publish(1, 'a', bytes('x'), 1, true, false)
    expect(await sensor.next('published')).toMatchObject({ outcome: 0 })
    expect(publishes()).toEqual([[1, false]])
  })

  it('is known beforehand where it speaks MQTT 3.1.1 and says nothing: publishes, wills and subscriptions', async () => {
    const sensor = rig({
      version: '3.1.1',
      abilities: { maximumQos: 1, retain: false, wildcards: false },
    }).sensor()
    const will = { topic: 'w', message: bytes('gone'), qos: 2, retain: true } as const
    const { limits } = await sensor.open(ID, { will })
    expect(limits).toMatchObject({ maximumQos: 2, retainAvailable: true, wildcardAvailable: false })
    sensor.connection.publish(1, 'a', bytes('x'), 2, true, false)
    expect(await sensor.next('published')).toMatchObject({ outcome: 0 })
    sensor.connection.subscribe(2, 'a', 2, true)
    await sensor.next('subscribed')
    sensor.connection.subscribe(3, 'a/+', 1, true)
    expect(await sensor.next('subscribed')).toMatchObject({ token: 3, outcome: 3 })
    expect([publishes(), wills()]).toEqual([[[1, false]], [[1, false]]])
    expect(sent('subscribe').map(({ subscriptions }) => subscriptions[0]?.qos)).toEqual([1])
  })

  it('refuses what is to be refused, without being asked: publishes and wills', async () => {
    const one = rig({ version: '3.1.1', unsupported: 'refuse', abilities: { maximumQos: 1, retain: false } })
    const sensor = one.sensor()
    const { limits } = await sensor.open(ID)
    expect(limits).toMatchObject({ maximumQos: 1, retainAvailable: false })
    sensor.connection.publish(1, 'a', bytes('x'), 2, false, false)
    sensor.connection.publish(2, 'a', bytes('x'), 1, true, false)
    for (const token of [1, 2]) expect(await sensor.next('published')).toMatchObject({ token, outcome: 3 })
    const second = one.sensor()
    const will = { topic: 'w', message: bytes('gone'), qos: 2, retain: false } as const
    second.connection.connect(connectOptions(`${ID}2`, { will }))
    expect(await second.next('refused')).toMatchObject({ outcome: 3 })
    expect(publishes()).toEqual([])
    expect(sent('connect')).toHaveLength(1)
  })

  it('that answers QoS 2 with PUBACK has the message, and gets the next one at QoS 1, from any sensor', async () => {
    says({}, (peer, packet) => {
      if (packet.cmd !== 'publish') return undefined
      peer.send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0 })
      return true
    })
    const one = rig({ version: '3.1.1' })
    const [first, second] = [one.sensor(), one.sensor()]
    await first.open(ID)
    await second.open(`${ID}2`)
    for (const [token, sensor] of [first, second, first].entries()) {
      sensor.connection.publish(token + 1, 'a', bytes('x'), 2, false, false)
      expect(await sensor.next('published')).toMatchObject({ token: token + 1, outcome: 0 })
    }
    expect(
      publishes()
        .map(([qos]) => qos)
        .toSorted(),
    ).toEqual([1, 1, 2])
    expect([first.count('closed'), second.count('closed')]).toEqual([0, 0])
  })

  it('still ends the connection where PUBACK answers what was released', async () => {
    says({}, (peer, packet) => {
      if (packet.cmd !== 'pubrel') return undefined
      peer.send({ cmd: 'puback', messageId: packet.messageId ?? 0, reasonCode: 0 })
      return true
    })
    const sensor = rig().sensor()
    await sensor.open(ID)
    sensor.connection.publish(1, 'a', bytes('x'), 2, false, false)
    await sensor.next('received')
    sensor.connection.release(1)
    expect(await sensor.next('closed')).toMatchObject({ why: 'lost' })
  })

  it.each([
    ['its QoS', 0x9b, [2, 1, 0], (will: IConnectPacket['will']) => (will?.qos ?? 0) > 0],
    ['retain', 0x9a, [2, 2], (will: IConnectPacket['will']) => will?.retain === true],
  ] as const)(
    'that refuses a will because of %s gets it with less at once',
    async (_what, code, levels, isTooMuch) => {
      says({}, (peer, packet) => {
        if (packet.cmd !== 'connect' || !isTooMuch(packet.will)) return undefined
        peer.send({ cmd: 'connack', sessionPresent: false, returnCode: code, reasonCode: code })
        return true
      })
      const one = rig()
      const will = { topic: 'w', message: bytes('gone'), qos: 2, retain: true } as const
      await one.sensor().open(ID, { will })
      expect(wills().map(([qos]) => qos)).toEqual(levels)
      await one.sensor().open(`${ID}2`, { will })
      expect(wills()).toHaveLength(levels.length + 1)
      expect(one.upstream.stats()).toMatchObject({ connected: 2, connecting: 0, refused: 0 })
    },
  )

  it('that refuses many wills at once gets each with less, also those that were under way when the first answer came', async () => {
    says({}, (peer, packet) => {
      if (packet.cmd !== 'connect') return undefined
      const isTooMuch = (packet.will?.qos ?? 0) > 0
      const code = isTooMuch ? 0x9b : 0
      const answer = { cmd: 'connack', sessionPresent: false, returnCode: code, reasonCode: code } as const
      setTimeout(() => peer.send(answer), 10)
      return true
    })
    const one = rig()
    const will = { topic: 'w', message: bytes('gone'), qos: 2, retain: false } as const
    await Promise.all(Array.from({ length: 10 }, (_, i) => one.sensor().open(`${ID}${i}`, { will })))
    expect(one.upstream.stats()).toMatchObject({ connected: 10, connecting: 0, refused: 0 })
  })

  it('does not keep the gateway itself away, whatever its status asks for', async () => {
    says({ maximumQoS: 0, retainAvailable: false })
    const ownWill = { topic: 'status', message: bytes('offline'), qos: 1 as const, retain: true }
    const abilities = { maximumQos: 0, retain: false } as const
    const { upstream } = rig({ abilities, unsupported: 'refuse', ownWill })
    await expect.poll(() => upstream.healthy).toBe(true)
    expect(upstream.publishOwn('status', bytes('online'), true)).toBe(true)
    const seen = await broker.saw(({ cmd }) => cmd === 'publish')
    expect(seen.packet).toMatchObject({ topic: 'status', retain: false })
  })

  it('is believed above what the configuration hopes for [SN-MAP-9]', async () => {
    says({ maximumQoS: 1, retainAvailable: false, maximumPacketSize: 100 })
    const abilities = { maximumQos: 2, retain: true, maximumPacketSize: 1000 } as const
    const sensor = rig({ abilities, unsupported: 'refuse' }).sensor()
    const { limits } = await sensor.open(ID)
    expect(limits).toMatchObject({ maximumQos: 1, retainAvailable: false, maximumPacketSize: 100 })
  })
})
