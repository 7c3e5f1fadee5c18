// Connections that sensors share, against a real Mosquitto: what one MQTT connection for many must not change for each.

import { connect as connectTcp, createServer, type Socket } from 'node:net'
import { connect as connectMqtt } from 'mqtt'
import { afterEach, describe, expect, it } from 'vitest'
import type { SharedRecords } from '../../../src/upstream/aggregating/contract.ts'
import { AFTERGLOW } from '../../../src/upstream/aggregating/routing/subscribing.ts'
import type { SharedMember, Upstream } from '../../../src/upstream/upstream.ts'
import {
  type Broker,
  haveMosquitto,
  listen,
  type RestartableBroker,
  startMosquitto,
} from '../../support/broker.ts'
import { bytes, connectOptions, type Observed, pause, Rig, text, Witness } from '../harness.ts'

/** Records that outlive an upstream: durable after a moment, as on a disk; what was not is lost with `crash`. */
class Disk implements SharedRecords {
  readonly isLasting = true
  loaded = new Map<string, unknown>()
  #pending = new Map<string, object | undefined>()
  #waiting: (() => void)[] = []

  keep(name: string, record: object | undefined): void {
    this.#pending.set(name, record)
    setImmediate(() => this.#write())
  }

  onDurable(done: () => void): void {
    this.#waiting.push(done)
    setImmediate(() => this.#write())
  }

  #write(): void {
    for (const [name, record] of this.#pending)
      if (record === undefined) this.loaded.delete(name)
      else this.loaded.set(name, structuredClone(record))
    this.#pending.clear()
    for (const done of this.#waiting.splice(0)) done()
  }
}

/** A way to the broker that can be cut. */
async function cable(
  broker: Broker,
): Promise<Pick<Broker, 'url' | 'ca'> & { cut(): void; close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connectTcp(broker.port, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket.setNoDelay(true))
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        near.destroy()
        far.destroy()
      })
    }
    near.pipe(far)
    far.pipe(near)
  })
  const port = await listen(server)
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  const close = async () => {
    cut()
    await new Promise((resolve) => server.close(resolve))
  }
  return { url: `mqtt://127.0.0.1:${port}`, ca: undefined, cut, close }
}

describe.skipIf(!haveMosquitto)('sensors that share a connection', () => {
  const cleanup: (() => Promise<void>)[] = []

  afterEach(async () => {
    for (const end of cleanup.splice(0).reverse()) await end()
  })

  async function start(...options: Parameters<typeof startMosquitto>): Promise<RestartableBroker> {
    const broker = await startMosquitto(...options)
    cleanup.push(() => broker.close())
    return broker
  }

  function rig(broker: Pick<Broker, 'url' | 'ca'>, version: '3.1.1' | '5', changes = {}): Rig {
    const made = new Rig(broker, { version, ...changes }, { shared: 1 })
    cleanup.push(() => made.close())
    return made
  }

  async function witness(broker: RestartableBroker, ...filters: string[]): Promise<Witness> {
    const made = await Witness.at(broker, ...filters)
    cleanup.push(() => made.close())
    return made
  }

  async function subscribe(sensor: Observed, filter: string, qos: 0 | 1 | 2 = 1, token = 1) {
    sensor.connection.subscribe(token, filter, qos, true)
    return sensor.next('subscribed')
  }

  const textsOf = (sensor: Observed) =>
    sensor.events.flatMap((event) => (event.type === 'message' ? [text(event.message.payload)] : []))

  describe.each(['3.1.1', '5'] as const)('over MQTT %s', (version) => {
    it('get one message each at their own QoS, and the broker one acknowledgement, after the last of them has it [SN-MAP-17]', async () => {
      const broker = await start()
      const one = rig(broker, version)
      const [first, second, third] = [one.sensor(), one.sensor(), one.sensor()]
      for (const [i, sensor] of [first, second, third].entries()) {
        await sensor.open(`s${i}`, { clean: false })
        expect(await subscribe(sensor, 'a', i as 0 | 1 | 2)).toMatchObject({ outcome: 0, qos: i })
      }
      const office = await witness(broker)
      await office.client.publishAsync('a', 'one', { qos: 2 })
      const came = [await first.next('message'), await second.next('message'), await third.next('message')]
      expect(came.map(({ message }) => message.qos)).toEqual([0, 1, 2])
      expect(came[0]?.ack).toBeUndefined()
      second.connection.acknowledge(came[1]?.ack ?? 0)
      await pause(100)
      expect(third.count('releasing')).toBe(0) // the broker waits for the other one
      third.connection.acknowledge(came[2]?.ack ?? 0)
      expect((await third.next('releasing')).packetId).toBe(came[2]?.packetId)
      expect((await second.next('releasing')).packetId).toBe(came[1]?.packetId)
      expect(one.upstream.stats()).toMatchObject({ connected: 1, shared: [{ sensors: 3, filters: 1 }] })
    })

    it('get the retained message when they subscribe, and nobody gets it again [SN-MAP-3]', async () => {
      const broker = await start()
      const office = await witness(broker)
      await office.client.publishAsync('kept/a', 'old', { qos: 1, retain: true })
      let later = 0
      const one = rig(broker, version, { now: () => performance.now() + later })
      const [first, second] = [one.sensor(), one.sensor()]
      await first.open('first')
      await second.open('second')
      await subscribe(first, 'kept/+')
      expect((await first.next('message')).message).toMatchObject({ topic: 'kept/a', retain: true })
      later = AFTERGLOW // until then it might be one that belongs to the first
      await subscribe(second, 'kept/+')
      expect((await second.next('message')).message.retain).toBe(true)
      await office.client.publishAsync('kept/a', 'new', { qos: 1, retain: true })
      for (const sensor of [first, second]) {
        const { message } = await sensor.next('message')
        expect([text(message.payload), message.retain]).toEqual(['new', false])
      }
      expect([textsOf(first), textsOf(second)]).toEqual([
        ['old', 'new'],
        ['old', 'new'],
      ])
    })

    it('get one copy for filters that overlap with those of others', async () => {
      const broker = await start()
      const one = rig(broker, version)
      const [wide, narrow] = [one.sensor(), one.sensor()]
      await wide.open('wide')
      await narrow.open('narrow')
      await subscribe(wide, 'a/#', 0)
      await subscribe(narrow, 'a/b', 2)
      const office = await witness(broker)
      await office.client.publishAsync('a/b', 'both', { qos: 1 })
      await office.client.publishAsync('a/c', 'wide only', { qos: 1 })
      while (textsOf(wide).length < 2) await wide.next('message')
      expect(textsOf(wide)).toEqual(['both', 'wide only'])
      const { message, ack } = await narrow.next('message')
      expect([text(message.payload), message.qos, ack === undefined]).toEqual(['both', 1, false])
      expect(narrow.count('message')).toBe(1)
    })

    it('have one subscription at the broker until the last of them ends it', async () => {
      const broker = await start()
      const one = rig(broker, version)
      const [first, second] = [one.sensor(), one.sensor()]
      await first.open('first')
      await second.open('second')
      for (const sensor of [first, second]) await subscribe(sensor, 'a', 0)
      first.connection.unsubscribe(2, 'a')
      await first.next('unsubscribed')
      const office = await witness(broker, 'settled')
      await office.client.publishAsync('a', 'yes')
      expect(text((await second.next('message')).message.payload)).toBe('yes')
      second.connection.unsubscribe(2, 'a')
      await second.next('unsubscribed')
      while (one.upstream.stats().shared[0]?.filters !== 0) await pause(5)
      await office.client.publishAsync('a', 'no')
      await office.settled('settled', 0)
      expect([first.count('message'), second.count('message')]).toEqual([0, 1])
    })

    it('go on over a break: nothing of QoS 1 and 2 is lost, and nothing of QoS 2 comes twice [SN-PUB-11, SN-MAP-4]', async () => {
      const broker = await start()
      const wire = await cable(broker)
      cleanup.push(() => wire.close())
      const one = rig(wire, version, { records: new Disk() })
      const office = await witness(broker, 'up/#')
      const sensors = Array.from({ length: 6 }, () => one.careful())
      await Promise.all(sensors.map((sensor, i) => sensor.open(`s${i}`, { clean: false })))
      const total = 120
      for (let token = 1; token <= total / 6; token++)
        for (const [i, sensor] of sensors.entries())
          sensor.publish(token, `up/${i}`, bytes(`${i} ${token}`), token % 2 === 0 ? 1 : 2)
      await sensors[0]?.next('published')
      wire.cut()
      await Promise.all(sensors.map((sensor) => sensor.next('closed')))
      for (const [i, sensor] of sensors.entries())
        sensor.connection.connect(connectOptions(`s${i}`, { clean: false, mend: true }))
      for (const sensor of sensors)
        while (sensor.count('published') < total / 6) await sensor.next('published')
      await office.settled('up/settled')
      const texts = office.messages.map((message) => message.text)
      expect(new Set(texts).size).toBe(total)
      const twice = texts.filter((one, i) => texts.indexOf(one) !== i)
      expect(twice.filter((one) => Number(one.split(' ')[1]) % 2 === 1)).toEqual([])
    })
  })

  it('share a shared subscription over MQTT 5, in turns, and are refused it over 3.1.1, where nothing tells its messages', async () => {
    const broker = await start()
    const office = await witness(broker)
    const one = rig(broker, '5')
    const [first, second, plain] = [one.sensor(), one.sensor(), one.sensor()]
    for (const [i, sensor] of [first, second, plain].entries()) await sensor.open(`s${i}`)
    for (const sensor of [first, second]) expect((await subscribe(sensor, '$share/g/a', 0)).outcome).toBe(0)
    await subscribe(plain, 'a', 0)
    for (const each of ['1', '2', '3', '4']) await office.client.publishAsync('a', each)
    while (textsOf(plain).length < 4) await plain.next('message')
    while (textsOf(first).length + textsOf(second).length < 4) await pause(5)
    expect([textsOf(first).length, textsOf(second).length]).toEqual([2, 2])
    expect([...textsOf(first), ...textsOf(second)].sort()).toEqual(['1', '2', '3', '4'])
    const other = rig(broker, '3.1.1').sensor()
    await other.open('other')
    expect((await subscribe(other, '$share/g/a', 0)).outcome).toBe(3)
  })

  it('that publish much do not hold up one that publishes little', async () => {
    const broker = await start()
    const one = rig(broker, '3.1.1')
    const [busy, quiet] = [one.sensor(), one.sensor()]
    await busy.open('busy')
    await quiet.open('quiet')
    for (let token = 1; token <= 80; token++)
      busy.connection.publish(token, 'busy', bytes(`${token}`), 1, false, false)
    quiet.connection.publish(1, 'quiet', bytes('1'), 1, false, false)
    await quiet.next('published')
    // twenty are under way at once; of the others that wait, one at most had its turn before
    expect(busy.events.filter((event) => event.type === 'published').length).toBeLessThan(60)
    while (busy.count('published') < 80) await busy.next('published')
    const { underWay, waiting } = one.upstream.stats().shared[0] ?? {}
    expect([underWay, waiting]).toEqual([0, 0])
  })

  it('are there when they are away: what comes for a kept session is told to it, and not at QoS 0', async () => {
    const broker = await start()
    const one = rig(broker, '5')
    const sensor = one.sensor()
    await sensor.open('kept', { clean: false })
    await subscribe(sensor, 'a', 1)
    sensor.connection.close(false, false)
    const office = await witness(broker, 'settled')
    await office.client.publishAsync('a', 'QoS 0')
    await office.client.publishAsync('a', 'QoS 1', { qos: 1 })
    expect(text((await sensor.next('message')).message.payload)).toBe('QoS 1')
    expect((await sensor.open('kept', { clean: false })).sessionPresent).toBe(true)
    expect((await sensor.open('kept', { clean: true })).sessionPresent).toBe(false)
    await office.client.publishAsync('a', 'forgotten', { qos: 1 })
    await office.settled('settled', 1)
    expect(sensor.count('message')).toBe(1)
  })

  describe('after the gateway was away', () => {
    const names = {
      pools: new Map([['all', { count: 1, identity: { clientId: 'kept-' } }]]),
      sharedNames: ['kept-1'],
    }

    it('what the broker has kept for them comes', async () => {
      const broker = await start()
      const records = new Disk()
      const before = rig(broker, '5', { ...names, records })
      const sensor = before.sensor()
      await sensor.open('s', { clean: false })
      await subscribe(sensor, 'a', 2)
      await before.close()
      const office = await witness(broker)
      await office.client.publishAsync('a', 'meanwhile', { qos: 2 })
      const member = memberOf(rig(broker, '5', { ...names, records }).upstream, 's')
      member.attach([['a', 2]])
      while (member.texts.length < 1) await pause(5)
      expect(member.texts).toEqual(['meanwhile'])
    })

    it('what nobody wants any more is unsubscribed at the broker', async () => {
      const broker = await start()
      const records = new Disk()
      const before = rig(broker, '5', { ...names, records })
      const sensor = before.sensor()
      await sensor.open('s', { clean: false })
      await subscribe(sensor, 'a', 1)
      await before.close()
      const after = rig(broker, '5', { ...names, records })
      await after.sensor().open('another')
      while (after.upstream.stats().shared[0]?.filters !== 0) await pause(5)
      expect([...records.loaded.keys()].filter((name) => name.startsWith('shared filter'))).toEqual([])
    })

    it('what earlier settings have left at the broker is ended there', async () => {
      const broker = await start()
      const records = new Disk()
      const before = rig(broker, '5', { ...names, records })
      await before.sensor().open('s', { clean: false })
      await before.close()
      const isKept = () => [...records.loaded.keys()].some((name) => name.endsWith(' kept-1'))
      expect(isKept()).toBe(true)
      rig(broker, '5', { records, pools: new Map(), sharedNames: [] })
      while (isKept()) await pause(5)
      const client = connectMqtt(broker.url, { clientId: 'kept-1', clean: false, reconnectPeriod: 0 })
      const { sessionPresent } = await new Promise<{ sessionPresent: boolean }>((resolve) =>
        client.once('connect', resolve),
      )
      await client.endAsync(true)
      expect(sessionPresent).toBe(false)
    })
  })
})

/** A member as a session restored from the store is one. */
function memberOf(upstream: Upstream, clientId: string): SharedMember & { readonly texts: string[] } {
  const texts: string[] = []
  const sensor = { clientId, pool: 'all', received: () => [], needs: () => true }
  const member = upstream.member(sensor, (event) => {
    if (event.type !== 'message') return
    texts.push(text(event.message.payload))
    if (event.ack !== undefined) member.acknowledge(event.ack)
  })
  return Object.assign(member, { texts })
}
