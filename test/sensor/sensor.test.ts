// The Sensor against a scripted gateway over real UDP: connecting, publishing, subscribing, wills, state.

import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Sensor, type SensorOptions } from '../../src/sensor/sensor.ts'
import { acceptingGateway, UdpPeer } from '../support/sensor.ts'

let gateway: UdpPeer
let sensors: Sensor[]

beforeEach(async () => {
  sensors = []
  gateway = await UdpPeer.open()
  gateway.script = acceptingGateway()
})

afterEach(async () => {
  for (const sensor of sensors) sensor.close()
  await gateway.close()
})

function create(options: SensorOptions = {}): Sensor {
  const sensor = new Sensor({ gateway: gateway.url, clientId: 'dev1', tRetry: 2000, ...options })
  sensors.push(sensor)
  return sensor
}

async function connected(options: SensorOptions = {}): Promise<Sensor> {
  const sensor = create(options)
  await sensor.connect()
  return sensor
}

/** Hex of all that the gateway heard. */
const wire = () => gateway.heard.map(({ hex }) => hex)

/** The gateway refuses requests of this type. */
function refuse(type: string, returnCode: number): void {
  const accept = acceptingGateway()
  gateway.script = (packet, heard) =>
    accept(packet, heard).map(
      (answer) => (answer.type === type ? { ...answer, returnCode } : answer) as never,
    )
}

describe('connecting', () => {
  it('sends CONNECT and is active at CONNACK', async () => {
    const sensor = create({ keepAlive: 60 })
    expect(sensor.state).toBe('disconnected')
    await sensor.connect()
    expect(sensor.state).toBe('active')
    expect(wire()).toEqual(['0a040401003c64657631'])
  })

  it('gives topic and message of its will when asked', async () => {
    await connected({ will: { topic: 'lwt/1', message: 'gone', qos: 1, retain: true } })
    expect(wire()).toEqual(['0a040c01003c64657631', '0807306c77742f31', '0609676f6e65'])
  })

  it('works over IPv6', async () => {
    const six = await UdpPeer.open('::1')
    six.script = acceptingGateway()
    await connected({ gateway: six.url })
    expect(six.types()).toBe('connect')
    await six.close()
  })

  it.each([1, 3, 0x80])('reports a refusal with ReturnCode %i and stays disconnected', async (code) => {
    refuse('connack', code)
    const sensor = create()
    await expect(sensor.connect()).rejects.toMatchObject({ code: 'rejected', returnCode: code })
    expect(sensor.state).toBe('disconnected')
  })

  it('uses the local port that it was given', async () => {
    const probe = await UdpPeer.open()
    await probe.close()
    await connected({ bind: { address: '127.0.0.1', port: probe.port } })
    expect(gateway.heard[0]?.from.port).toBe(probe.port)
  })

  it('refuses calls that need a connection, without sending anything', async () => {
    const sensor = create()
    for (const call of [
      sensor.publish('a', ''),
      sensor.register('a'),
      sensor.subscribe('a'),
      sensor.ping(),
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'not-connected' })
    }
    await expect(sensor.wake()).rejects.toMatchObject({ code: 'not-connected' })
    expect(gateway.heard).toEqual([])
  })

  it('says what is wrong with impossible options', () => {
    for (const options of [{ clientId: '' }, { keepAlive: 70_000 }, { nodeId: new Uint8Array(253) }]) {
      expect(() => new Sensor(options)).toThrow(expect.objectContaining({ code: 'invalid' }))
    }
  })

  it('says what is wrong with an impossible gateway address', async () => {
    const sensor = create({ gateway: 'mqtt://127.0.0.1:1883' })
    await expect(sensor.connect()).rejects.toThrow('udp://host:port')
  })

  it('tells when the gateway ends the connection, and can connect again', async () => {
    const sensor = await connected()
    const ended = once(sensor, 'disconnected')
    const open = sensor.publish('a/b', '1', { qos: 1 })
    gateway.script = () => [{ type: 'disconnect', duration: null }]
    await expect(open).rejects.toMatchObject({ code: 'disconnected' })
    expect(await ended).toEqual(['gateway'])
    gateway.script = acceptingGateway()
    await sensor.connect()
    expect(sensor.state).toBe('active')
  })

  it('disconnects properly, and closing rejects what is still open', async () => {
    const sensor = await connected()
    await sensor.disconnect()
    expect(sensor.state).toBe('disconnected')
    expect(wire().at(-1)).toBe('0218')
    gateway.script = () => []
    const open = sensor.connect()
    await gateway.next('disconnect')
    await gateway.next('connect')
    sensor.close()
    await expect(open).rejects.toMatchObject({ code: 'closed' })
    await expect(sensor.connect()).rejects.toMatchObject({ code: 'closed' })
  })
})

describe('publishing', () => {
  it('registers a name at its first use only', async () => {
    const sensor = await connected()
    await Promise.all([sensor.publish('t/temp', '21'), sensor.publish('t/temp', '22')])
    await sensor.publish('t/temp', '23', { qos: 1, retain: true })
    expect(wire().slice(1)).toEqual([
      '0c0a00000001742f74656d70',
      '090c0000010000' + '3231',
      '090c0000010000' + '3232',
      '090c3000010002' + '3233',
    ])
  })

  it('sends short names and predefined ids without REGISTER', async () => {
    const sensor = await connected()
    await sensor.publish({ short: 'ab' }, 'z', { qos: 2 })
    await sensor.publish({ predefined: 5 }, 'z', { qos: 1 })
    expect(wire().slice(1)).toEqual(['080c42616200017a', '04100001', '080c21000500027a'])
  })

  it('has one QoS 1 or 2 message outstanding at a time', async () => {
    const sensor = await connected()
    await sensor.register('a/b')
    gateway.script = () => []
    const first = sensor.publish('a/b', '1', { qos: 1 })
    const second = sensor.publish('a/b', '2', { qos: 2 })
    const { msgId, topicId } = await gateway.next('publish')
    await sensor.publish('a/b', '0')
    expect(await gateway.next('publish')).toMatchObject({ qos: 0, data: Buffer.from('0') })
    gateway.script = acceptingGateway()
    gateway.send({ type: 'puback', topicId, msgId, returnCode: 0 })
    await Promise.all([first, second])
    expect(await gateway.next('publish')).toMatchObject({ qos: 2, data: Buffer.from('2'), dup: false })
  })

  it('uses the 3-octet length for a long payload', async () => {
    const sensor = await connected()
    const payload = Uint8Array.from({ length: 3000 }, (_, index) => index)
    await sensor.publish({ short: 'ab' }, payload, { qos: 1 })
    expect(await gateway.next('publish')).toMatchObject({ data: Buffer.from(payload) })
    expect(gateway.heard.at(-1)?.hex.slice(0, 8)).toBe('010bc10c')
  })

  it('refuses what does not fit into one datagram', async () => {
    const sensor = await connected({ maxMessage: 60 })
    await sensor.publish({ short: 'ab' }, 'x'.repeat(53), { qos: 1 })
    for (const length of [54, 70_000]) {
      const call = sensor.publish({ short: 'ab' }, 'x'.repeat(length), { qos: 1 })
      await expect(call).rejects.toMatchObject({ code: 'too-long' })
    }
    await sensor.ping()
  })

  it('sends QoS -1 without any connection, and takes no name for it', async () => {
    const sensor = create()
    await sensor.publish({ predefined: 5 }, 'on', { qos: -1 })
    await sensor.publish({ short: 'ab' }, 'on', { qos: -1, retain: true })
    await gateway.next('publish')
    await gateway.next('publish')
    expect(wire()).toEqual(['090c610005' + '0000' + '6f6e', '090c726162' + '0000' + '6f6e'])
    await expect(sensor.publish('a/b', 'on', { qos: -1 })).rejects.toMatchObject({ code: 'invalid' })
  })

  it('registers again when the gateway has forgotten the id', async () => {
    const sensor = await connected()
    await sensor.publish('a/b', '1', { qos: 1 })
    const accept = acceptingGateway()
    gateway.script = (packet, heard) =>
      packet.type === 'publish' && packet.topicId === 1
        ? [{ type: 'puback', topicId: 1, msgId: packet.msgId, returnCode: 2 }]
        : accept(packet, heard).map((answer) =>
            answer.type === 'regack' ? { ...answer, topicId: 77 } : answer,
          )
    await sensor.publish('a/b', '2', { qos: 1 })
    expect(gateway.types()).toBe('connect register publish publish register publish')
    expect(gateway.heard.at(-1)?.packet).toMatchObject({ topicId: 77, data: Buffer.from('2') })
  })

  it('reports a refused QoS 0 message and registers before the next one', async () => {
    const sensor = await connected()
    const refused = once(sensor, 'error')
    gateway.script = (packet, heard) =>
      packet.type === 'publish'
        ? [{ type: 'puback', topicId: packet.topicId, msgId: 0, returnCode: 2 }]
        : acceptingGateway()(packet, heard)
    await sensor.publish('a/b', '1')
    expect(await refused).toMatchObject([{ code: 'rejected', returnCode: 2 }])
    await sensor.publish('a/b', '2')
    expect(gateway.types()).toMatch(/register publish register/)
  })

  it('hands congestion to the caller', async () => {
    refuse('puback', 1)
    const sensor = await connected()
    const call = sensor.publish('a/b', '1', { qos: 1 })
    await expect(call).rejects.toMatchObject({ code: 'rejected', returnCode: 1 })
    expect(sensor.state).toBe('active')
  })

  it('accepts a PUBACK that refuses a QoS 2 message', async () => {
    const sensor = await connected()
    gateway.script = (packet) =>
      packet.type === 'publish' ? [{ type: 'puback', topicId: 0, msgId: packet.msgId, returnCode: 3 }] : []
    const call = sensor.publish({ short: 'ab' }, '1', { qos: 2 })
    await expect(call).rejects.toMatchObject({ returnCode: 3 })
  })

  it('refuses short names that are not two octets and reserved ids', async () => {
    const sensor = await connected()
    for (const topic of [{ short: 'a' }, { short: 'aé' }, { predefined: 0 }, { predefined: 65535 }]) {
      await expect(sensor.publish(topic, '')).rejects.toMatchObject({ code: 'invalid' })
    }
  })
})

describe('subscribing', () => {
  it('subscribes by name, short name and predefined id, and unsubscribes', async () => {
    const sensor = await connected()
    expect(await sensor.subscribe('s/a', 1)).toEqual({ topicId: 1, qos: 1 })
    expect(await sensor.subscribe('s/+', 2)).toEqual({ topicId: 0, qos: 2 })
    await sensor.subscribe({ short: 'ab' })
    await sensor.subscribe({ predefined: 9 })
    await sensor.unsubscribe('s/a')
    expect(wire().slice(1)).toEqual([
      '0812200001' + '732f61',
      '0812400002' + '732f2b',
      '0712020003' + '6162',
      '0712010004' + '0009',
      '0814000005' + '732f61',
    ])
  })

  it('reports a refused subscription', async () => {
    refuse('suback', 3)
    const sensor = await connected()
    await expect(sensor.subscribe('s/a')).rejects.toMatchObject({ code: 'rejected', returnCode: 3 })
  })

  it('knows the id of a subscribed name when it publishes', async () => {
    const sensor = await connected()
    await sensor.subscribe('s/a')
    await sensor.publish('s/a', 'x', { qos: 1 })
    expect(gateway.types()).toBe('connect subscribe publish')
  })
})

describe('will updates', () => {
  it('updates topic and message, and deletes the will', async () => {
    const sensor = await connected()
    await sensor.updateWillTopic('w/2', { qos: 1, retain: true })
    await sensor.updateWillMessage('bye')
    await sensor.deleteWill()
    expect(wire().slice(1)).toEqual(['061a30' + '772f32', '051c' + '627965', '021a'])
  })

  it('reports a refused update', async () => {
    refuse('willmsgresp', 3)
    const sensor = await connected()
    await expect(sensor.updateWillMessage('bye')).rejects.toMatchObject({ returnCode: 3 })
  })
})

describe('a forwarder in between', () => {
  it('encapsulates what it sends and hears only its own node id', async () => {
    const nodeId = Uint8Array.of(0x12, 0x34)
    const sensor = await connected({ nodeId, clientId: 'n1' })
    expect(wire()).toEqual(['05fe001234' + '08040401003c6e31'])
    const ended: unknown[] = []
    sensor.on('disconnected', (why) => ended.push(why))
    gateway.send({ type: 'disconnect', duration: null }, Uint8Array.of(0x12, 0x35))
    gateway.send({ type: 'disconnect', duration: null })
    await sensor.ping()
    expect(ended).toEqual([])
  })
})
