// What no real broker can be made to do: refusals, odd orders, limits, silence. A scripted broker on real TCP.

import type { IConnackPacket, IConnectPacket, Packet } from 'mqtt-packet'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { UpstreamOptions } from '../../src/upstream/upstream.ts'
import { type ScriptedBroker, type ScriptedPeer, startScriptedBroker } from '../support/scripted.ts'
import { bytes, connectOptions, type Observed, pause, Rig, text } from './harness.ts'

const ID = 'sensor'
type Properties = NonNullable<IConnackPacket['properties']>

describe('upstream with a scripted broker', () => {
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
    const made = new Rig(broker, { version: '5', ...changes })
    rigs.push(made)
    return made
  }

  /** Only the sensor's connection is scripted, the gateway's own is always accepted. */
  function script(act: (peer: ScriptedPeer, packet: Packet) => boolean | undefined): void {
    broker.script = (peer, packet) => (peer.clientId === ID ? act(peer, packet) : undefined)
  }

  function accept(peer: ScriptedPeer, sessionPresent = false, properties: Properties = {}): true {
    peer.send({ cmd: 'connack', sessionPresent, returnCode: 0, reasonCode: 0, properties })
    return true
  }

  function sensorPeers(): ScriptedPeer[] {
    return broker.peers.filter(({ clientId }) => clientId === ID)
  }

  async function saw(
    cmd: Packet['cmd'],
    connection: number,
  ): Promise<{ packet: Packet; peer: ScriptedPeer }> {
    return broker.saw((packet, peer) => packet.cmd === cmd && sensorPeers().indexOf(peer) === connection)
  }

  describe('CONNECT', () => {
    it('asks an MQTT 5 broker for what the gateway needs [SN-MAP-2, SN-MAP-5, SN-MAP-7, SN-MAP-11]', async () => {
      const sensor = rig({ keepAlive: 30_000, sessionExpirySeconds: 7200, receiveMaximum: 5 }).sensor()
      const will = { topic: 'w', message: bytes('gone'), qos: 2 as const, retain: true }
      await sensor.open(ID, { clean: false, will })
      const { packet } = await saw('connect', 0)
      expect(packet).toMatchObject({
        clientId: ID,
        clean: false,
        keepalive: 30,
        protocolVersion: 5,
        properties: { sessionExpiryInterval: 7200, receiveMaximum: 5, requestProblemInformation: true },
        will: { topic: 'w', qos: 2, retain: true, payload: Buffer.from('gone') },
      })
      const { properties, will: sent } = packet as { properties: object; will: object }
      expect(properties).toMatchObject({ topicAliasMaximum: 0 })
      expect(properties).not.toHaveProperty('maximumPacketSize')
      expect(sent).not.toHaveProperty('properties.willDelayInterval')
      await sensor.open(ID, { clean: true })
      expect((await saw('connect', 1)).packet).toMatchObject({
        clean: true,
        properties: { sessionExpiryInterval: 0 },
      })
    })

    it('asks an MQTT 5 broker to bear an absence of the gateway [SN-MAP-2 in part, SN-MAP-4 in part]', async () => {
      script((peer, { cmd }) => (cmd === 'connect' ? accept(peer, true) : undefined))
      const sensor = rig({ absenceSeconds: 60, sessionExpirySeconds: 7200 }).sensor()
      const will = { topic: 'w', message: bytes('gone'), qos: 2 as const, retain: true }
      const asked = async (connection: number, changes: object) => {
        const { sessionPresent } = await sensor.open(ID, { will, ...changes })
        const { packet } = await saw('connect', connection)
        expect(packet).toMatchObject({ will: { properties: { willDelayInterval: 60 } } })
        const { clean, properties } = packet as IConnectPacket
        return [clean, properties?.sessionExpiryInterval, sessionPresent]
      }
      expect(await asked(0, { clean: true, mend: false })).toEqual([true, 60, false])
      expect(await asked(1, { clean: true, mend: true })).toEqual([false, 60, true])
      expect(await asked(2, { clean: false, mend: false })).toEqual([false, 7200, true])
      expect(await asked(3, { clean: false, mend: true })).toEqual([false, 7200, true])
    })

    it.each([
      [60, 5000, 10_000, 80],
      [60, 50, 10_000, 260],
      [60, 5000, 1, 61],
      [0, 50, 10_000, undefined],
    ])(
      'after an absence of %i s, at %i connections a second, waits with wills until %i sensors had their turn: %s s',
      async (absenceSeconds, connectsPerSecond, sensors, delay) => {
        const sensor = rig({ absenceSeconds, connectsPerSecond, sessionExpirySeconds: 30 }).sensor()
        await sensor.open(ID, {
          clean: false,
          sensors,
          will: { topic: 'w', message: bytes(''), qos: 0, retain: true },
        })
        const { will, properties } = (await saw('connect', 0)).packet as IConnectPacket
        expect(will?.properties?.willDelayInterval).toBe(delay)
        // a session that ends before would take the will with it
        expect(properties?.sessionExpiryInterval).toBe(delay ?? 30)
      },
    )

    it('asks for a clean session again and again where the broker cannot bear an absence [SN-MAP-4 in part]', async () => {
      script((peer, { cmd }) => (cmd === 'connect' ? accept(peer, true) : undefined))
      for (const changes of [{ version: '3.1.1', absenceSeconds: 60 }, { version: '5' }] as const) {
        const sensor = rig(changes).sensor()
        expect((await sensor.open(ID, { clean: true, mend: true })).sessionPresent).toBe(false)
      }
      const packets = sensorPeers().map(({ packets: [connect] }) => connect)
      expect(packets).toMatchObject([
        { clean: true },
        { clean: true, properties: { sessionExpiryInterval: 0 } },
      ])
    })

    it('delays no will of the gateway itself', async () => {
      const ownWill = { topic: 'w', message: bytes('gone'), qos: 1 as const, retain: true }
      rig({ absenceSeconds: 60, own: { clientId: ID }, ownWill })
      const { packet } = await saw('connect', 0)
      expect(packet).toMatchObject({
        clean: true,
        will: { topic: 'w' },
        properties: { sessionExpiryInterval: 0 },
      })
      expect(packet).not.toHaveProperty('will.properties')
    })

    it('asks an MQTT 3.1.1 broker for the same without properties [SN-MAP-1, SN-MAP-2]', async () => {
      const sensor = rig({ version: '3.1.1' }).sensor()
      const identity = { clientId: ID, username: 'user', password: 'secret' }
      await sensor.open(ID, { clean: false, identity })
      const { packet } = await saw('connect', 0)
      expect(packet).toMatchObject({
        protocolVersion: 4,
        clean: false,
        username: 'user',
        password: Buffer.from('secret'),
      })
    })

    it.each([
      ['5', 0x88, 1],
      ['5', 0x87, 3],
      ['3.1.1', 3, 1],
      ['3.1.1', 5, 3],
    ] as const)('reports refusal in MQTT %s with code %i as outcome %i', async (version, code, outcome) => {
      script((peer, packet) => {
        if (packet.cmd !== 'connect') return undefined
        peer.send({ cmd: 'connack', sessionPresent: false, returnCode: code, reasonCode: code })
        return true
      })
      const one = rig({ version })
      const sensor = one.sensor()
      sensor.connection.connect(connectOptions(ID))
      expect((await sensor.next('refused')).outcome).toBe(outcome)
      expect(one.upstream.stats()).toMatchObject({ connected: 0, connecting: 0, refused: 1 })
      expect(sensor.events.length).toBe(1)
    })

    it('gives up without CONNACK at the deadline, counted from the start of the attempt [SN-MAP-6, SN-MAP-26]', async () => {
      script((_peer, { cmd }) => cmd === 'connect')
      const sensor = rig({ connectTimeout: 100 }).sensor()
      const start = performance.now()
      sensor.connection.connect(connectOptions(ID))
      expect(await sensor.next('refused')).toMatchObject({ outcome: 1 })
      expect(performance.now() - start).toBeGreaterThan(95)
      expect(performance.now() - start).toBeLessThan(1000)
    })

    it('tries every address of a name', async () => {
      const named = new Rig({ url: `mqtt://localhost:${broker.port}` }, { version: '5' })
      rigs.push(named)
      const sensor = named.sensor()
      await sensor.open(ID)
      sensor.connection.publish(1, 'a', bytes('x'), 1, false, false)
      expect((await sensor.next('published')).outcome).toBe(0)
    })

    it('reports a broker that is not there as outcome 1', async () => {
      const sensor = rig().sensor()
      await broker.close()
      sensor.connection.connect(connectOptions(ID))
      const { outcome, detail } = await sensor.next('refused')
      expect(outcome).toBe(1)
      expect(detail).toContain('ECONNREFUSED')
    })

    it('reports a certificate that cannot be used as refused for good', async () => {
      const sensor = new Rig({ url: `mqtts://127.0.0.1:${broker.port}` })
      rigs.push(sensor)
      const observed = sensor.sensor()
      observed.connection.connect(
        connectOptions(ID, { identity: { clientId: ID, cert: 'no PEM', key: 'none' } }),
      )
      expect((await observed.next('refused')).outcome).toBe(3)
      expect(sensor.upstream.stats()).toMatchObject({ connecting: 0, waiting: 0 })
    })

    it('waits its turn and leaves the queue when closed [SN-MAP-31]', async () => {
      broker.script = (_peer, { cmd }) => cmd === 'connect'
      const one = rig({ connecting: 2 })
      const sensors = Array.from({ length: 4 }, () => one.sensor())
      for (const [index, { connection }] of sensors.entries()) connection.connect(connectOptions(`${index}`))
      const has = (id: string) => broker.peers.some(({ clientId }) => clientId === id)
      await broker.saw((_packet, { clientId }) => clientId === '1')
      await pause(50)
      expect([0, 1, 2, 3].map((index) => has(`${index}`))).toEqual([true, true, false, false])
      expect(one.upstream.stats()).toMatchObject({ connecting: 2, waiting: 2 })
      sensors[2]?.connection.close(false, false)
      expect(one.upstream.stats()).toMatchObject({ connecting: 2, waiting: 1 })
      sensors[0]?.connection.close(false, false)
      await broker.saw((_packet, { clientId }) => clientId === '3')
      expect(has('2')).toBe(false)
    })

    it('opens the next connection only when the old one is closed, and no later than a second after [SN-MAP-14]', async () => {
      script((peer, { cmd }) => {
        if (cmd === 'disconnect') peer.hold()
        return cmd === 'disconnect'
      })
      const sensor = rig().sensor()
      await sensor.open(ID)
      const start = performance.now()
      sensor.connection.connect(connectOptions(ID))
      await saw('disconnect', 0)
      await pause(100)
      expect(sensorPeers().length).toBe(1)
      await sensor.next('connected')
      expect(performance.now() - start).toBeGreaterThan(900)
      expect(sensor.count('closed')).toBe(0)
    })

    it('reports nothing of a connection that was closed or superseded', async () => {
      const sensor = rig().sensor()
      await sensor.open(ID)
      sensor.connection.subscribe(1, 'a', 1, true)
      const { peer } = await saw('subscribe', 0)
      await sensor.next('subscribed')
      peer.send({ cmd: 'publish', topic: 'a', payload: 'late', qos: 0, dup: false, retain: false })
      sensor.connection.close(false, false)
      await pause(50)
      expect(sensor.events.map(({ type }) => type)).toEqual(['connected', 'subscribed'])
    })
  })

  describe('the version', () => {
    it.each([
      ['0x84', [0x20, 3, 0, 0x84, 0]],
      ['return code 1', [0x20, 2, 0, 1]],
      ['nothing', []],
    ])('is 3.1.1 with a broker that answers MQTT 5 with %s, from then on', async (_answer, reply) => {
      broker.script = (peer, packet) => {
        // the gateway's own connection must not find out first
        if (peer.clientId !== ID) return true
        if (packet.cmd !== 'connect' || packet.protocolVersion !== 5) return undefined
        peer.socket.end(Buffer.from(reply))
        return true
      }
      const one = rig({ version: 'auto' })
      const first = one.sensor()
      await first.open(ID)
      expect(sensorPeers().map(({ version }) => version)).toEqual([5, 4])
      expect(one.upstream.stats()).toMatchObject({ version: '3.1.1', connected: 1, connecting: 0 })
      await first.open(ID)
      expect(sensorPeers().map(({ version }) => version)).toEqual([5, 4, 4])
    })

    it('stays 5 with a broker that spoke it once and then hangs up', async () => {
      const one = rig({ version: 'auto' })
      const sensor = one.sensor()
      await sensor.open(ID)
      script((peer, { cmd }) => {
        if (cmd !== 'connect') return undefined
        peer.cut()
        return true
      })
      sensor.connection.connect(connectOptions(ID))
      expect((await sensor.next('refused')).outcome).toBe(1)
      expect(sensorPeers().map(({ version }) => version)).toEqual([5, 5])
    })

    it('is not changed where it is configured', async () => {
      script((peer, { cmd }) => {
        if (cmd === 'connect') peer.sendBytes(0x20, 3, 0, 0x84, 0)
        return cmd === 'connect'
      })
      const sensor = rig({ version: '5' }).sensor()
      sensor.connection.connect(connectOptions(ID))
      expect((await sensor.next('refused')).outcome).toBe(3)
    })
  })

  describe('PUBLISH', () => {
    it.each([
      [1, 0x10, 0],
      [1, 0x97, 1],
      [1, 0x87, 3],
      [2, 0x97, 1],
      [2, 0x90, 3],
    ] as const)('at QoS %i that is answered with %i has outcome %i', async (qos, reasonCode, outcome) => {
      script((peer, { cmd, messageId }) => {
        if (cmd !== 'publish' || messageId === undefined) return undefined
        peer.send({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId, reasonCode })
        return true
      })
      const sensor = rig().sensor()
      await sensor.open(ID)
      sensor.connection.publish(9, 'a', bytes('x'), qos, false, false)
      const reason = outcome === 0 ? {} : { reason: reasonCode }
      expect(await sensor.next('published')).toEqual({ type: 'published', token: 9, outcome, ...reason })
      expect(sensor.count('received')).toBe(0)
    })

    it('reports PUBREC at once, releases when asked to, and PUBCOMP is the end, also with `identifier not found`', async () => {
      script((peer, { cmd, messageId }) => {
        if (cmd !== 'pubrel' || messageId === undefined) return undefined
        setTimeout(() => peer.send({ cmd: 'pubcomp', messageId, reasonCode: 0x92 }), 50)
        return true
      })
      const sensor = rig().sensor()
      await sensor.open(ID)
      sensor.connection.publish(9, 'a', bytes('x'), 2, false, false)
      await sensor.next('received')
      await pause(20)
      expect(sensorPeers()[0]?.packets.at(-1)?.cmd).toBe('publish')
      sensor.connection.release(9)
      expect((await saw('pubrel', 0)).packet.messageId).toBe(9)
      expect(sensor.count('published')).toBe(0)
      expect(await sensor.next('published')).toEqual({ type: 'published', token: 9, outcome: 0 })
    })

    it.each([1, 2] as const)('at QoS %i is repeated when its packet identifier is in use', async (qos) => {
      const used: unknown[] = []
      script((peer, { cmd, messageId }) => {
        if (cmd !== 'publish' || messageId === undefined) return undefined
        used.push(messageId)
        if (used.length > 2) return undefined
        peer.send({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId, reasonCode: 0x91 })
        return true
      })
      const sensor = rig().sensor()
      await sensor.open(ID)
      sensor.connection.publish(9, 'a', bytes('x'), qos, false, false)
      if (qos === 2) {
        await sensor.next('received')
        sensor.connection.release(9)
        expect((await saw('pubrel', 0)).packet.messageId).toBe(used[2])
      }
      expect(await sensor.next('published')).toEqual({ type: 'published', token: 9, outcome: 0 })
      expect(used[0]).toBe(9)
      expect(new Set(used).size).toBe(3)
    })

    it('is not repeated for ever when every packet identifier is in use', async () => {
      script((peer, { cmd, messageId }) => {
        if (cmd !== 'publish' || messageId === undefined) return undefined
        peer.send({ cmd: 'puback', messageId, reasonCode: 0x91 })
        return true
      })
      const sensor = rig().sensor()
      await sensor.open(ID)
      sensor.connection.publish(9, 'a', bytes('x'), 1, false, false)
      expect(await sensor.next('published')).toMatchObject({ outcome: 1 })
    })

    it('above the broker`s limits is refused without being sent [SN-MAP-9]', async () => {
      script((peer, { cmd }) => {
        if (cmd !== 'connect') return undefined
        const wildcardSubscriptionAvailable = false
        return accept(peer, false, {
          maximumQoS: 1,
          retainAvailable: false,
          maximumPacketSize: 100,
          wildcardSubscriptionAvailable,
        })
      })
      const sensor = rig().sensor()
      const { limits } = await sensor.open(ID)
      expect(limits).toEqual({
        maximumQos: 1,
        retainAvailable: false,
        maximumPacketSize: 100,
        wildcardAvailable: false,
      })
      const { connection } = sensor
      connection.publish(1, 'a', bytes('x'), 2, false, false)
      connection.publish(2, 'a', bytes('x'), 0, true, false)
      connection.publish(3, 'a', new Uint8Array(100), 1, false, false)
      for (const token of [1, 2, 3]) {
        expect(await sensor.next('published')).toEqual({ type: 'published', token, outcome: 3 })
      }
      connection.subscribe(4, 'a/+', 1, true)
      expect(await sensor.next('subscribed')).toMatchObject({ token: 4, outcome: 3 })
      connection.publish(5, 'a', bytes('fits'), 1, false, false)
      expect(await sensor.next('published')).toEqual({ type: 'published', token: 5, outcome: 0 })
      expect(sensorPeers()[0]?.packets.map(({ cmd }) => cmd)).toEqual(['connect', 'publish'])
    })

    it('with a topic that MQTT cannot carry is refused without being sent [SN-FLD-3]', async () => {
      const sensor = rig().sensor()
      await sensor.open(ID)
      for (const topic of ['', 'a/+', `a${String.fromCharCode(0)}`]) {
        sensor.connection.publish(1, topic, bytes('x'), 1, false, false)
        expect(await sensor.next('published')).toMatchObject({ outcome: 3 })
      }
      expect(sensorPeers()[0]?.packets.length).toBe(1)
    })

    it('while not connected has outcome 1, and is never sent [SN-MAP-27, SN-MAP-28]', async () => {
      const sensor = rig().sensor()
      sensor.connection.publish(1, 'a', bytes('x'), 1, false, false)
      expect(sensor.events).toEqual([])
      sensor.connection.subscribe(2, 'a', 1, true)
      sensor.connection.unsubscribe(3, 'a')
      sensor.connection.acknowledge(4)
      await pause(1)
      expect(sensor.events).toEqual([
        { type: 'published', token: 1, outcome: 1 },
        { type: 'subscribed', token: 2, outcome: 1, qos: 1 },
      ])
      await sensor.open(ID)
      await pause(20)
      expect(sensorPeers()[0]?.packets.map(({ cmd }) => cmd)).toEqual(['connect'])
    })

    it('keeps to the broker`s Receive Maximum, in order, and to a bound of its own', async () => {
      const held: number[] = []
      script((peer, { cmd, messageId }) => {
        if (cmd === 'connect') return accept(peer, false, { receiveMaximum: 2 })
        if (cmd !== 'publish' || messageId === undefined) return undefined
        held.push(messageId)
        return true
      })
      const sensor = rig().sensor()
      await sensor.open(ID)
      for (let token = 1; token <= 65; token++) {
        sensor.connection.publish(token, 'a', bytes(`${token}`), 1, false, false)
      }
      expect(await sensor.next('published')).toEqual({ type: 'published', token: 65, outcome: 1 })
      const [peer] = sensorPeers()
      for (let token = 1; token <= 64; token++) {
        while (held.length < Math.min(token + 1, 64)) await pause(1)
        expect(held.length).toBe(Math.min(token + 1, 64))
        peer?.send({ cmd: 'puback', messageId: held[token - 1] ?? 0, reasonCode: 0 })
        expect(await sensor.next('published')).toEqual({ type: 'published', token, outcome: 0 })
      }
    })
  })

  it('what is asked for at once is sent as one', async () => {
    const sensor = rig().sensor()
    await sensor.open(ID)
    const chunks: Buffer[] = []
    sensorPeers()[0]?.socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    for (let token = 1; token <= 20; token++) {
      sensor.connection.publish(token, 'a', bytes(`${token}`), token % 2 === 0 ? 1 : 0, false, false)
    }
    sensor.connection.subscribe(21, 'a', 1, true)
    await sensor.next('subscribed')
    expect(chunks.length).toBe(1)
    expect(sensorPeers()[0]?.packets.length).toBe(22)
  })

  it('sends nothing more when the session ends it while an answer is handled', async () => {
    let ended = false
    const one = rig()
    const connection = one.upstream.connection(({ type }) => {
      if (type !== 'published' || ended) return
      ended = true
      connection.close(false, true)
    })
    script((peer, { cmd }) => (cmd === 'connect' ? accept(peer, false, { receiveMaximum: 1 }) : undefined))
    connection.connect(connectOptions(ID))
    while (one.upstream.stats().connected === 0) await pause(1)
    for (const token of [1, 2, 3]) connection.publish(token, 'a', bytes('x'), 1, false, false)
    await saw('disconnect', 0)
    expect(sensorPeers()[0]?.packets.map(({ cmd }) => cmd)).toEqual(['connect', 'publish', 'disconnect'])
  })

  it('more subscriptions than may be under way wait for their turn, and none is refused [SN-MAP-3 in part]', async () => {
    const held: number[] = []
    script((peer, { cmd, messageId }) => {
      if (cmd === 'connect') return accept(peer)
      if (cmd !== 'subscribe' || messageId === undefined) return undefined
      held.push(messageId)
      return true
    })
    const sensor = rig().sensor()
    await sensor.open(ID)
    const filters = Array.from({ length: 150 }, (_, i) => `a/${i}`)
    for (const [token, filter] of filters.entries()) sensor.connection.subscribe(token, filter, 1, false)
    const [peer] = sensorPeers()
    for (const token of filters.keys()) {
      while (held.length < Math.min(token + 64, 150)) await pause(1)
      expect(held.length).toBe(Math.min(token + 64, 150))
      peer?.send({ cmd: 'suback', messageId: held[token] ?? 0, granted: [1] })
      expect(await sensor.next('subscribed')).toEqual({ type: 'subscribed', token, outcome: 0, qos: 1 })
    }
  })

  describe('packet identifiers', () => {
    it('follow from tokens, and are others only where those are in use', async () => {
      script((_peer, { cmd }) => cmd === 'publish')
      const sensor = rig().sensor()
      await sensor.open(ID)
      for (const token of [7, 65_535, 65_536, 7 + 65_535]) {
        sensor.connection.publish(token, 'a', bytes('x'), 1, false, false)
      }
      sensor.connection.subscribe(8, 'a', 0, true)
      await sensor.next('subscribed')
      const ids = sensorPeers()[0]?.packets.flatMap(({ messageId }) => messageId ?? [])
      expect(ids).toEqual([7, 65_535, 1, 8, 9])
    })
  })

  describe('publishes in flight when the connection is lost', () => {
    /** The first connection answers no PUBLISH; at QoS 2 with `reach` pubrec, it answers no PUBREL. */
    async function lose(
      sensor: Observed,
      sessionPresent: boolean,
      reach: 'publish' | 'pubrec',
    ): Promise<void> {
      let connections = 0
      script((peer, packet) => {
        if (packet.cmd === 'connect') {
          connections += 1
          return accept(peer, connections > 1 && sessionPresent)
        }
        if (connections > 1) return undefined
        return packet.cmd === 'pubrel' || (packet.cmd === 'publish' && reach === 'publish')
      })
      await sensor.open(ID, { clean: false })
      if (reach === 'publish') sensor.connection.publish(1, 'a', bytes('one'), 1, false, false)
      sensor.connection.publish(2, 'b', bytes('two'), 2, true, false)
      if (reach === 'pubrec') {
        await sensor.next('received')
        sensor.connection.release(2)
      }
      await broker.saw(
        (packet) =>
          packet.cmd === 'pubrel' || (packet.cmd === 'publish' && reach === 'publish' && packet.qos === 2),
      )
      for (const peer of sensorPeers()) peer.cut()
      expect((await sensor.next('closed')).why).toBe('unexplained')
    }

    function repeat(sensor: Observed): void {
      sensor.connection.publish(1, 'a', bytes('one'), 1, false, true)
      sensor.connection.publish(2, 'b', bytes('two'), 2, true, true)
    }

    function publishes(connection: number): Packet[] | undefined {
      return sensorPeers()[connection]?.packets.filter(({ cmd }) => cmd === 'publish')
    }

    it('get no answer, and are not sent again by themselves', async () => {
      const sensor = rig().sensor()
      await lose(sensor, true, 'publish')
      await sensor.open(ID, { clean: false })
      await pause(30)
      expect(sensorPeers()[1]?.packets.map(({ cmd }) => cmd)).toEqual(['connect'])
      expect(sensor.count('published')).toBe(0)
    })

    it('are repeated with DUP and the same identifiers on a resumed session', async () => {
      const sensor = rig().sensor()
      await lose(sensor, true, 'publish')
      expect((await sensor.open(ID, { clean: false })).sessionPresent).toBe(true)
      repeat(sensor)
      expect(await sensor.next('published')).toMatchObject({ token: 1, outcome: 0 })
      await sensor.next('received')
      const ids = publishes(0)?.map(({ messageId }) => messageId)
      expect(ids).toEqual([1, 2])
      expect(publishes(0)).toMatchObject([{ dup: false }, { dup: false }])
      expect(publishes(1)).toMatchObject([
        { topic: 'a', payload: Buffer.from('one'), qos: 1, dup: true, messageId: 1 },
        { topic: 'b', qos: 2, retain: true, dup: true, messageId: 2 },
      ])
    })

    it('are repeated as new on a session that the broker has lost', async () => {
      const sensor = rig().sensor()
      await lose(sensor, false, 'publish')
      await sensor.open(ID, { clean: false })
      repeat(sensor)
      await sensor.next('published')
      expect(publishes(1)).toMatchObject([
        { topic: 'a', dup: false },
        { topic: 'b', dup: false },
      ])
    })

    it.each([0, 0x92])(
      'are released past PUBREC with the same identifier, and done with answer %i',
      async (reasonCode) => {
        const sensor = rig().sensor()
        await lose(sensor, true, 'pubrec')
        const { script: accepting } = broker
        broker.script = (peer, packet) => {
          if (packet.cmd !== 'pubrel') return accepting(peer, packet)
          peer.send({ cmd: 'pubcomp', messageId: packet.messageId ?? 0, reasonCode })
          return true
        }
        await sensor.open(ID, { clean: false })
        sensor.connection.release(2)
        expect(await sensor.next('published')).toEqual({ type: 'published', token: 2, outcome: 0 })
        expect(sensorPeers()[1]?.packets).toMatchObject([{ cmd: 'connect' }, { cmd: 'pubrel', messageId: 2 }])
      },
    )

    it('get no answer when the connection is superseded, but subscriptions do', async () => {
      script((_peer, { cmd }) => cmd === 'publish' || cmd === 'subscribe')
      const sensor = rig().sensor()
      await sensor.open(ID)
      sensor.connection.publish(1, 'a', bytes('one'), 1, false, false)
      sensor.connection.subscribe(2, 'a', 1, true)
      await saw('subscribe', 0)
      await sensor.open(ID)
      expect(sensor.events.slice(1)).toEqual([
        { type: 'subscribed', token: 2, outcome: 1, qos: 1 },
        expect.objectContaining({ type: 'connected' }),
      ])
    })
  })

  describe('PUBREC for what was not published', () => {
    it.each([
      ['5', [0x62, 3, 0, 77, 0x92]],
      ['3.1.1', [0x62, 2, 0, 77]],
    ] as const)('is answered so that the broker is done with it, MQTT %s', async (version, octets) => {
      const sensor = rig({ version }).sensor()
      await sensor.open(ID)
      const sent: number[] = []
      sensorPeers()[0]?.socket.on('data', (chunk: Buffer) => sent.push(...chunk))
      sensorPeers()[0]?.send({ cmd: 'pubrec', messageId: 77, reasonCode: 0 })
      await saw('pubrel', 0)
      expect(sent).toEqual(octets)
      expect(sensor.events.map(({ type }) => type)).toEqual(['connected'])
    })
  })

  describe('SUBSCRIBE', () => {
    it('asks MQTT 5 for the behaviour of 3.1.1 [SN-MAP-3, SN-MAP-8]', async () => {
      const sensor = rig().sensor()
      await sensor.open(ID)
      sensor.connection.subscribe(1, 'a', 1, true)
      sensor.connection.subscribe(2, 'b', 2, false)
      await sensor.next('subscribed')
      await sensor.next('subscribed')
      const sent = sensorPeers()[0]?.packets.filter(({ cmd }) => cmd === 'subscribe')
      expect(sent).toMatchObject([
        { subscriptions: [{ topic: 'a', qos: 1, nl: false, rap: false, rh: 0 }] },
        { subscriptions: [{ topic: 'b', qos: 2, nl: false, rap: false, rh: 2 }] },
      ])
      for (const packet of sent ?? []) expect(packet).not.toHaveProperty('properties.subscriptionIdentifier')
    })

    it.each([
      ['5', 0x01, 0, 1],
      ['5', 0x97, 1, 0],
      ['5', 0x87, 3, 0],
      ['3.1.1', 0x80, 3, 0],
    ] as const)(
      'in MQTT %s answered with %i has outcome %i and QoS %i',
      async (version, code, outcome, qos) => {
        script((peer, { cmd, messageId }) => {
          if (cmd !== 'subscribe' || messageId === undefined) return undefined
          peer.send({ cmd: 'suback', messageId, granted: [code] })
          return true
        })
        const sensor = rig({ version }).sensor()
        await sensor.open(ID)
        sensor.connection.subscribe(1, 'a', 2, true)
        expect(await sensor.next('subscribed')).toEqual({ type: 'subscribed', token: 1, outcome, qos })
      },
    )

    it('is repeated when its packet identifier is in use', async () => {
      let refusals = 0
      script((peer, { cmd, messageId }) => {
        if (cmd !== 'subscribe' || messageId === undefined || refusals === 2) return undefined
        refusals += 1
        peer.send({ cmd: 'suback', messageId, granted: [0x91] })
        return true
      })
      const sensor = rig().sensor()
      await sensor.open(ID)
      sensor.connection.subscribe(1, 'a', 2, true)
      expect(await sensor.next('subscribed')).toMatchObject({ outcome: 0, qos: 2 })
    })

    it('has outcome 1 when the connection is lost meanwhile', async () => {
      script((_peer, { cmd }) => cmd === 'subscribe')
      const sensor = rig().sensor()
      await sensor.open(ID)
      sensor.connection.subscribe(1, 'a', 2, true)
      ;(await saw('subscribe', 0)).peer.cut()
      await sensor.next('closed')
      expect(await sensor.next('subscribed')).toMatchObject({ outcome: 1 })
    })

    it('is reported before a retained message that follows in the same segment', async () => {
      script((peer, { cmd, messageId }) => {
        if (cmd !== 'subscribe' || messageId === undefined) return undefined
        peer.socket.cork()
        peer.send({ cmd: 'suback', messageId, granted: [0] })
        peer.send({ cmd: 'publish', topic: 'a', payload: 'kept', qos: 0, dup: false, retain: true })
        peer.socket.uncork()
        return true
      })
      const sensor = rig().sensor()
      await sensor.open(ID)
      sensor.connection.subscribe(1, 'a', 0, true)
      await sensor.next('message')
      expect(sensor.events.map(({ type }) => type)).toEqual(['connected', 'subscribed', 'message'])
    })

    it('again under 3.1.1 drops what is retained until a second after SUBACK [SN-MAP-3]', async () => {
      let now = 0
      const sensor = rig({ version: '3.1.1', now: () => now }).sensor()
      await sensor.open(ID)
      sensor.connection.subscribe(1, 'a/+', 1, false)
      const { peer } = await saw('subscribe', 0)
      await sensor.next('subscribed')
      const retained = (topic: string, payload: string) =>
        peer.send({ cmd: 'publish', topic, payload, qos: 2, dup: false, retain: true, messageId: 1 + now })
      retained('a/b', 'unwanted')
      await broker.saw(({ cmd }) => cmd === 'pubcomp')
      now = 1000
      retained('a/b', 'wanted')
      expect(text((await sensor.next('message')).message.payload)).toBe('wanted')
      expect(sensor.count('message')).toBe(1)
    })
  })

  describe('a message from the broker', () => {
    const message = (messageId: number, qos: 1 | 2, dup = false, payload = 'x') =>
      ({ cmd: 'publish', topic: 'a', payload, qos, dup, retain: false, messageId }) as const

    it('is handed over without waiting for those before it, and acknowledged when the session says so', async () => {
      const sensor = rig().sensor()
      await sensor.open(ID)
      const [peer] = sensorPeers()
      peer?.send(message(1, 1, false, 'first'))
      peer?.send(message(2, 2, false, 'second'))
      const first = await sensor.next('message')
      const second = await sensor.next('message')
      expect([first, second].map(({ message: { payload }, packetId }) => [text(payload), packetId])).toEqual([
        ['first', 0],
        ['second', 2],
      ])
      await pause(20)
      expect(peer?.packets.map(({ cmd }) => cmd)).toEqual(['connect'])
      sensor.connection.acknowledge(second.ack ?? 0)
      expect((await saw('pubrec', 0)).packet.messageId).toBe(2)
      sensor.connection.acknowledge(first.ack ?? 0)
      expect((await saw('puback', 0)).packet.messageId).toBe(1)
    })

    it('of QoS 2 is released by the broker, and completed when the session says so [SN-MAP-24 in part]', async () => {
      const sensor = rig().sensor()
      await sensor.open(ID)
      const [peer] = sensorPeers()
      peer?.send(message(5, 2))
      sensor.connection.acknowledge((await sensor.next('message')).ack ?? 0)
      const { packetId, ack } = await sensor.next('releasing')
      expect(packetId).toBe(5)
      await pause(20)
      expect(peer?.packets.map(({ cmd }) => cmd)).toEqual(['connect', 'pubrec'])
      sensor.connection.acknowledge(ack)
      expect((await saw('pubcomp', 0)).packet.messageId).toBe(5)
    })

    it('of QoS 2 that is repeated is known by its packet identifier until it is released [SN-MAP-17]', async () => {
      script((peer, { cmd }) => (cmd === 'connect' ? accept(peer, sensorPeers().length > 1) : undefined))
      const sensor = rig().careful()
      await sensor.open(ID, { clean: false })
      const first = sensorPeers()[0]
      first?.send(message(5, 2, false, 'once'))
      await sensor.next('message')
      first?.cut()
      await sensor.next('closed')
      await sensor.open(ID, { clean: false })
      sensorPeers()[1]?.send(message(5, 2, true, 'once'))
      await saw('pubcomp', 1)
      expect(sensor.texts).toEqual(['once'])
      // the identifier is free again
      sensorPeers()[1]?.send(message(5, 2, false, 'another'))
      await sensor.next('releasing')
      await sensor.next('releasing')
      expect(sensor.texts).toEqual(['once', 'another'])
    })

    it('of QoS 2 past PUBREC is only completed after a reconnection [SN-MAP-17]', async () => {
      script((peer, { cmd }) => {
        if (cmd === 'connect') return accept(peer, sensorPeers().length > 1)
        return cmd === 'pubrec'
      })
      const sensor = rig().careful()
      await sensor.open(ID, { clean: false })
      sensorPeers()[0]?.send(message(5, 2))
      await saw('pubrec', 0)
      sensorPeers()[0]?.cut()
      await sensor.next('closed')
      await sensor.open(ID, { clean: false })
      sensorPeers()[1]?.send({ cmd: 'pubrel', messageId: 5 })
      await saw('pubcomp', 1)
      expect(sensor.texts).toEqual(['x'])
    })

    it('comes again when it was not acknowledged, and an ack of an earlier connection does nothing', async () => {
      script((peer, { cmd }) => (cmd === 'connect' ? accept(peer, sensorPeers().length > 1) : undefined))
      const sensor = rig().sensor()
      await sensor.open(ID, { clean: false })
      sensorPeers()[0]?.send(message(5, 1))
      const old = await sensor.next('message')
      sensorPeers()[0]?.cut()
      await sensor.next('closed')
      sensor.connection.acknowledge(old.ack ?? 0)
      await sensor.open(ID, { clean: false })
      sensorPeers()[1]?.send(message(5, 1, true))
      const again = await sensor.next('message')
      sensor.connection.acknowledge(old.ack ?? 0)
      await pause(20)
      expect(sensorPeers()[1]?.packets.length).toBe(1)
      sensor.connection.acknowledge(again.ack ?? 0)
      await saw('puback', 1)
    })

    it('keeps its payload while others are read', async () => {
      const one = rig()
      const sensors = [one.sensor(), one.sensor()]
      for (const [index, sensor] of sensors.entries()) await sensor.open(`reads-${index}`)
      const peers = sensors.map((_, index) =>
        broker.peers.find(({ clientId }) => clientId === `reads-${index}`),
      )
      const octets = [0x30, 6, 0, 1, 0x61, 0]
      // two connections take turns, in the middle of packets
      for (let round = 0; round < 3; round++) {
        for (const [index, peer] of peers.entries())
          peer?.sendBytes(...octets, 0x41 + index, 0x61 + round, 0x30, 6, 0)
        await pause(10)
        for (const [index, peer] of peers.entries()) peer?.sendBytes(1, 0x61, 0, 0x41 + index, 0x41 + round)
        await pause(10)
      }
      for (const [index, sensor] of sensors.entries()) {
        const name = index === 0 ? 'A' : 'B'
        while (sensor.count('message') < 6) await sensor.next('message')
        const texts = sensor.events.flatMap((event) =>
          event.type === 'message' ? [text(event.message.payload)] : [],
        )
        expect(texts).toEqual(['a', 'A', 'b', 'B', 'c', 'C'].map((letter) => name + letter))
      }
    })

    it.each([1, 2] as const)(
      'of QoS %i that comes before CONNACK is taken after it [SN-MAP-30]',
      async (qos) => {
        script((peer, { cmd }) => {
          if (cmd !== 'connect') return undefined
          peer.send(message(5, qos))
          return accept(peer, true)
        })
        const sensor = rig().sensor()
        await sensor.open(ID, { clean: false })
        const { ack, message: got } = await sensor.next('message')
        expect(got.qos).toBe(qos)
        expect(sensor.events.map(({ type }) => type)).toEqual(['connected', 'message'])
        expect(sensorPeers()[0]?.packets.length).toBe(1)
        sensor.connection.acknowledge(ack ?? 0)
        expect((await saw(qos === 1 ? 'puback' : 'pubrec', 0)).packet.messageId).toBe(5)
        expect(sensor.count('message')).toBe(1)
      },
    )

    it.each([
      ['too many of them', 65],
      ['anything else', 0],
    ])('before CONNACK is bounded: %s ends the attempt', async (_what, count) => {
      script((peer, { cmd }) => {
        if (cmd !== 'connect') return undefined
        for (let id = 1; id <= count; id++) peer.send(message(id, 1))
        if (count === 0) peer.send({ cmd: 'pingresp' })
        return accept(peer, true)
      })
      const sensor = rig().sensor()
      sensor.connection.connect(connectOptions(ID, { clean: false }))
      expect(await sensor.next('refused')).toMatchObject({
        outcome: 1,
        detail: expect.stringContaining('before CONNACK'),
      })
      expect(sensor.events.length).toBe(1)
    })

    it('expires when MQTT 5 says so, on the clock that was given [SN-MAP-10]', async () => {
      const sensor = rig({ now: () => 1000 }).sensor()
      await sensor.open(ID)
      sensorPeers()[0]?.send({ ...message(1, 1), properties: { messageExpiryInterval: 30 } })
      expect((await sensor.next('message')).message.expiresAt).toBe(31_000)
    })
  })

  describe('the end of a connection', () => {
    it.each([
      [0x8e, 'taken-over', 0],
      [0x87, 'forbidden', 0],
      [0x8b, 'lost', 0],
      [0x82, 'lost', 1],
    ] as const)('by DISCONNECT with %i is %s, faults %i [SN-MAP-35]', async (reasonCode, why, faults) => {
      const one = rig()
      const sensor = one.sensor()
      await sensor.open(ID)
      sensorPeers()[0]?.send({ cmd: 'disconnect', reasonCode })
      sensorPeers()[0]?.socket.end()
      expect((await sensor.next('closed')).why).toBe(why)
      expect(one.upstream.stats()).toMatchObject({ connected: 0, lost: 1, faults })
      await pause(20)
      expect(sensor.count('closed')).toBe(1)
    })

    it('by closing is a loss in MQTT 3.1.1 [SN-MAP-36]', async () => {
      const sensor = rig({ version: '3.1.1' }).sensor()
      await sensor.open(ID)
      sensorPeers()[0]?.socket.end()
      expect((await sensor.next('closed')).why).toBe('unexplained')
    })

    it('tells an MQTT 5 broker to publish the will [SN-MAP-13]', async () => {
      const sensor = rig().sensor()
      await sensor.open(ID)
      sensor.connection.close(true, false)
      expect((await saw('disconnect', 0)).packet).toMatchObject({ reasonCode: 4 })
      await sensor.open(ID)
      sensor.connection.close(false, false)
      expect((await saw('disconnect', 1)).packet).toMatchObject({ reasonCode: 0 })
    })

    it('lets an MQTT 5 broker forget the session of a sensor that is gone for good', async () => {
      const sensor = rig({ absenceSeconds: 60 }).sensor()
      await sensor.open(ID)
      sensor.connection.close(false, false)
      const { packet } = await saw('disconnect', 0)
      expect(packet).toMatchObject({ reasonCode: 0 })
      expect(packet).not.toHaveProperty('properties')
      await sensor.open(ID)
      sensor.connection.close(false, true)
      expect((await saw('disconnect', 1)).packet).toMatchObject({
        reasonCode: 0,
        properties: { sessionExpiryInterval: 0 },
      })
    })

    it('publishes a will that the broker would delay, without waiting for an answer [SN-MAP-13]', async () => {
      const sensor = rig({ absenceSeconds: 60 }).sensor()
      const will = { topic: 'w', message: bytes('gone'), qos: 2 as const, retain: true }
      await sensor.open(ID, { will })
      sensor.connection.publish(65_535, 'a', bytes('x'), 1, false, false)
      sensor.connection.close(true, true)
      await saw('disconnect', 0)
      expect(sensorPeers()[0]?.packets.slice(2)).toMatchObject([
        { cmd: 'publish', topic: 'w', payload: Buffer.from('gone'), qos: 2, retain: true, messageId: 1 },
        { cmd: 'pubrel', messageId: 1 },
        { cmd: 'disconnect', reasonCode: 0, properties: { sessionExpiryInterval: 0 } },
      ])
      // an attempt has nothing to publish with
      script((_peer, { cmd }) => cmd === 'connect')
      sensor.connection.connect(connectOptions(ID, { will }))
      await saw('connect', 1)
      sensor.connection.close(true, true)
      expect((await saw('disconnect', 1)).packet).toMatchObject({ reasonCode: 4 })
    })

    it('takes back a CONNECT that was not answered yet', async () => {
      script((_peer, { cmd }) => cmd === 'connect')
      const sensor = rig().sensor()
      sensor.connection.connect(connectOptions(ID))
      await saw('connect', 0)
      sensor.connection.close(false, false)
      expect((await saw('disconnect', 0)).packet).toMatchObject({ reasonCode: 0 })
    })

    it.each([
      ['nonsense', [0xf3, 0xff, 0xff, 0xff, 0xff]],
      ['a second CONNACK', [0x20, 3, 0, 0, 0]],
      ['AUTH', [0xf0, 0]],
      ['PUBACK for a SUBSCRIBE', [0x40, 2, 0, 0]],
    ])('follows %s from the broker and throws nothing', async (_what, octets) => {
      script((peer, { cmd, messageId = 0 }) => {
        if (cmd !== 'subscribe') return undefined
        peer.sendBytes(...(octets[0] === 0x40 ? [0x40, 2, messageId >> 8, messageId & 255] : octets))
        return true
      })
      const sensor = rig().sensor()
      await sensor.open(ID)
      sensor.connection.subscribe(1, 'a', 0, true)
      expect((await sensor.next('closed')).why).toBe('lost')
    })

    it('within the deadline ends everything with DISCONNECT [SN-MAP-14]', async () => {
      const one = rig()
      const sensors = Array.from({ length: 5 }, () => one.sensor())
      await Promise.all(sensors.map((sensor, index) => sensor.open(`s${index}`)))
      await one.upstream.close(500)
      for (const peer of broker.peers) {
        expect(peer.packets.at(-1)).toMatchObject({ cmd: 'disconnect', reasonCode: 0 })
      }
      const late = one.sensor()
      late.connection.connect(connectOptions(ID))
      expect(await late.next('refused')).toMatchObject({ outcome: 1 })
    })

    it('does not wait longer than the deadline for a broker that does not close', async () => {
      script((peer, { cmd }) => {
        if (cmd === 'disconnect') peer.hold()
        return cmd === 'disconnect'
      })
      const one = rig()
      await one.sensor().open(ID)
      const start = performance.now()
      await one.upstream.close(100)
      expect(performance.now() - start).toBeGreaterThan(95)
      expect(performance.now() - start).toBeLessThan(600)
    })
  })

  describe('keep-alive', () => {
    it('pings by itself as often as the broker wants, while nothing else happens [SN-KA-9, SN-MAP-5]', async () => {
      script((peer, { cmd }) => (cmd === 'connect' ? accept(peer, false, { serverKeepAlive: 1 }) : undefined))
      const sensor = rig({ keepAlive: 60_000 }).sensor()
      await sensor.open(ID)
      const pings = () => sensorPeers()[0]?.packets.filter(({ cmd }) => cmd === 'pingreq').length ?? 0
      while (pings() < 3) await pause(50)
      expect(sensor.count('closed')).toBe(0)
    })

    it('notices a broker that does not answer, even while it is published to', async () => {
      script((_peer, { cmd }) => cmd === 'pingreq' || cmd === 'publish')
      const sensor = rig({ keepAlive: 1000 }).sensor()
      await sensor.open(ID)
      const start = performance.now()
      const timer = setInterval(() => sensor.connection.publish(1, 'a', bytes('x'), 1, false, false), 100)
      expect((await sensor.next('closed')).why).toBe('lost')
      clearInterval(timer)
      expect(performance.now() - start).toBeLessThan(2500)
    })
  })

  it('tells when the write buffer is above its limit, and when it has drained [SN-MAP-29]', async () => {
    script((peer, { cmd }) => {
      if (cmd === 'connect') setImmediate(() => peer.socket.pause())
      return undefined
    })
    const sensor = rig({ writeBuffer: 100_000 }).sensor()
    await sensor.open(ID)
    await pause(20)
    const payload = new Uint8Array(60_000)
    let token = 0
    while (sensor.count('congestion') === 0) {
      token += 1
      sensor.connection.publish(token, 'a', payload, 0, false, false)
      await pause(0)
    }
    expect(await sensor.next('congestion')).toEqual({ type: 'congestion', on: true })
    sensor.connection.publish(1001, 'a', payload, 0, false, false)
    sensor.connection.publish(1002, 'a', payload, 1, false, false)
    sensor.connection.subscribe(1003, 'a', 1, true)
    expect(await sensor.next('published')).toEqual({ type: 'published', token: 1001, outcome: 1 })
    expect(await sensor.next('published')).toEqual({ type: 'published', token: 1002, outcome: 1 })
    expect(await sensor.next('subscribed')).toMatchObject({ outcome: 1 })
    sensorPeers()[0]?.socket.resume()
    expect(await sensor.next('congestion')).toEqual({ type: 'congestion', on: false })
    sensor.connection.publish(1004, 'a', payload, 1, false, false)
    expect(await sensor.next('published')).toEqual({ type: 'published', token: 1004, outcome: 0 })
    const arrived = sensorPeers()[0]?.packets.filter(({ cmd }) => cmd === 'publish').length
    expect(arrived).toBe(token + 1)
  })

  it('all connections share what may wait in total, each the same [SN-MAP-29, SN-ROB-1]', async () => {
    script((peer, { cmd }) => {
      if (cmd === 'connect') setImmediate(() => peer.socket.pause())
      return undefined
    })
    const one = rig({ writeBuffer: 1e9, totalWriteBuffer: 40_000_000 })
    const first = one.sensor()
    await first.open(ID)
    await pause(20)
    const write = (octets: number) =>
      first.connection.publish(1, 'a', new Uint8Array(octets), 0, false, false)
    // more than the system takes off our hands, and less than all of the total
    write(20_000_000)
    await pause(50)
    write(1)
    expect(first.count('congestion')).toBe(0)
    for (const id of ['second', 'third', 'fourth']) await one.sensor().open(id)
    await pause(20)
    write(1)
    expect(await first.next('congestion')).toEqual({ type: 'congestion', on: true })
    sensorPeers()[0]?.socket.resume()
    expect(await first.next('congestion')).toEqual({ type: 'congestion', on: false })
  })

  it('what only waits for the end of a tick is no congestion, however small the share [SN-PUB-14]', async () => {
    const one = rig({ writeBuffer: 1_000_000, totalWriteBuffer: 1 })
    const sensor = one.sensor()
    await sensor.open(ID)
    for (let token = 1; token <= 10; token += 1)
      sensor.connection.publish(token, 'a', new Uint8Array(20_000), 1, false, false)
    sensor.connection.subscribe(11, 'a', 1, true)
    expect(await sensor.next('subscribed')).toMatchObject({ outcome: 0 })
    expect(sensor.count('congestion')).toBe(0)
  })

  it('survives a subscriber of events that throws', async () => {
    const one = rig()
    const connection = one.upstream.connection(() => {
      throw new Error('a bug')
    })
    connection.connect(connectOptions(ID))
    await saw('connect', 0)
    await pause(20)
    expect(one.upstream.stats().connected).toBe(1)
    connection.close(false, false)
  })
})
