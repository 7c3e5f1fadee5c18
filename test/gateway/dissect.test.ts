// Every kind of datagram that the gateway and the Sensor send, as tshark reads it: an opinion that is not our own [5.4].

import { describe, expect, it, onTestFinished } from 'vitest'
import { decodeFrame, encodeFrame } from '../../src/codec/v1/frame.ts'
import { MsgType, type Packet, type PacketType } from '../../src/codec/v1/messages.ts'
import { SensorError, type SensorTransport } from '../../src/sensor/sensor.ts'
import { openUdp } from '../../src/sensor/udp.ts'
import { startAedes } from '../support/broker.ts'
import { openEndpoint } from '../support/endpoint.ts'
import { Office, TestGateway, type TestSensor, until } from '../support/gateway.ts'
import type { CapturedDatagram } from '../support/pcap.ts'
import { capture, dissect, type Field, haveTshark, type Reading } from '../support/tshark.ts'

/** Where the sensors and the gateway are in the capture file. */
const SENSOR = 40_000
const GATEWAY = 1884

/** What tshark calls the messages. */
const NAMES: Record<PacketType, string> = {
  advertise: 'Advertise Gateway',
  searchgw: 'Search Gateway',
  gwinfo: 'Gateway Info',
  connect: 'Connect Command',
  connack: 'Connect Ack',
  willtopicreq: 'Will Topic Request',
  willtopic: 'Will Topic',
  willmsgreq: 'Will Message Request',
  willmsg: 'Will Message',
  register: 'Register',
  regack: 'Register Ack',
  publish: 'Publish Message',
  puback: 'Publish Ack',
  pubcomp: 'Publish Complete',
  pubrec: 'Publish Received',
  pubrel: 'Publish Release',
  subscribe: 'Subscribe Request',
  suback: 'Subscribe Ack',
  unsubscribe: 'Unsubscribe Request',
  unsuback: 'Unsubscribe Ack',
  pingreq: 'Ping Request',
  pingresp: 'Ping Response',
  disconnect: 'Disconnect Req',
  willtopicupd: 'Will Topic Update',
  willtopicresp: 'Will Topic Response',
  willmsgupd: 'Will Message Update',
  willmsgresp: 'Will Message Response',
}

const onlySensors = [
  'searchgw',
  'connect',
  'willtopic',
  'willmsg',
  'subscribe',
  'unsubscribe',
  'pingreq',
  'willtopicupd',
  'willmsgupd',
]
const onlyGateways = [
  'advertise',
  'gwinfo',
  'connack',
  'willtopicreq',
  'willmsgreq',
  'suback',
  'unsuback',
  'pingresp',
  'willtopicresp',
  'willmsgresp',
]
const both = ['register', 'regack', 'publish', 'puback', 'pubcomp', 'pubrec', 'pubrel', 'disconnect']

/** Sends to the gateway and keeps what goes over the wire, both ways. */
async function recorded(url: string, wire: CapturedDatagram[]): Promise<SensorTransport> {
  const inner = await openUdp(url)
  const transport: SensorTransport = {
    send(bytes) {
      wire.push({ from: SENSOR, to: GATEWAY, bytes })
      inner.send(bytes)
    },
    onReceive: () => {},
    onError: () => {},
    close: () => inner.close(),
  }
  inner.onReceive = (bytes) => {
    wire.push({ from: GATEWAY, to: SENSOR, bytes })
    transport.onReceive(bytes)
  }
  return transport
}

/** All that a sensor can say to a gateway and the other way around, but for discovery. */
async function everything(sensor: TestSensor, office: Office): Promise<void> {
  const { clientId } = sensor
  const refused = (code: number) => expect.objectContaining({ code: 'rejected', returnCode: code })
  await sensor.connect()
  for (const qos of [0, 1, 2] as const) {
    await sensor.subscribe(`down/${clientId}/${qos}`, qos)
    await sensor.publish(`up/${clientId}`, `QoS ${qos}`, { qos, retain: qos === 1 })
    await sensor.publish({ predefined: 1 }, `QoS ${qos}`, { qos })
    await sensor.publish({ short: 'ab' }, `QoS ${qos}`, { qos })
    await office.publish(`down/${clientId}/${qos}`, `QoS ${qos}`, { qos })
    await sensor.inbox.next()
  }
  await sensor.publish({ short: 'ab' }, 'QoS -1', { qos: -1 })
  await sensor.publish(`up/${clientId}`, 'x'.repeat(1000), { qos: 1 }) // 3-octet Length, both ways
  await office.publish(`down/${clientId}/1`, 'y'.repeat(1000))
  await sensor.inbox.next()
  await expect(sensor.publish({ predefined: 77 }, '', { qos: 1 })).rejects.toEqual(refused(2))
  await expect(sensor.subscribe('a/#/b', 1)).rejects.toBeInstanceOf(SensorError)
  await expect(sensor.register('a/+')).rejects.toEqual(refused(3))
  await sensor.subscribe(`wild/${clientId}/#`, 2)
  await sensor.subscribe({ predefined: 1 }, 1)
  await sensor.subscribe({ short: 'cd' }, 0)
  for (const filter of [{ predefined: 1 }, { short: 'cd' }, `down/${clientId}/0`])
    await sensor.unsubscribe(filter)
  await sensor.updateWillTopic('will/new', { qos: 2, retain: true })
  await sensor.updateWillMessage('lost')
  await sensor.ping()
  await sensor.sleep(300)
  for (const qos of [0, 1, 2] as const) await office.publish(`wild/${clientId}/a`, `asleep ${qos}`, { qos })
  const before = sensor.inbox.all.length
  while (sensor.inbox.all.length < before + 3) await sensor.wake() // until the broker has sent all of them
  await sensor.connect()
  await sensor.deleteWill()
  await sensor.disconnect()
}

/** What tshark ought to read, as far as it shows it at all: '' where it shows nothing. */
function expected(bytes: Uint8Array, packet: Packet, nodeId: Uint8Array | undefined): Partial<Reading> {
  const fields = packet as unknown as Readonly<Record<string, unknown>>
  const text = (name: string) =>
    fields[name] === undefined || fields[name] === null ? '' : String(fields[name])
  const hex = (value: number) => `0x${value.toString(16).padStart(2, '0')}`
  const octets = (name: string) => {
    const value = fields[name]
    return value instanceof Uint8Array ? Buffer.from(value).toString() : ''
  }
  const bit = (name: string) => (fields[name] === undefined ? '' : String(Number(fields[name])))
  const outer = nodeId === undefined ? 0 : 3 + nodeId.length
  const encapsulated = (inner: string, around: string) => (outer === 0 ? inner : `${around},${inner}`)
  const { type } = packet
  const isPublish = type === 'publish'
  const named = type === 'subscribe' || type === 'unsubscribe'
  return {
    'mqttsn.msg.type': encapsulated(hex(MsgType[type]), '0xfe'),
    'mqttsn.msg.len': encapsulated(String(bytes.length - outer), String(outer)),
    'mqttsn.msg.id': text('msgId'),
    'mqttsn.topic.id': named ? '' : text('topicId'),
    'mqttsn.topic': type === 'register' ? text('topicName') : '',
    'mqttsn.return.code': 'returnCode' in packet ? hex(packet.returnCode) : '',
    'mqttsn.client.id': text('clientId'),
    'mqttsn.keep.alive': type === 'connect' ? text('duration') : '',
    'mqttsn.sleep.timer': type === 'disconnect' ? text('duration') : '',
    'mqttsn.will': bit('will'),
    'mqttsn.clean.session': bit('cleanSession'),
    'mqttsn.will.topic': text('willTopic'),
    'mqttsn.will.msg': octets('willMsg'),
    'mqttsn.qos': isPublish ? hex(packet.qos & 3) : '',
    'mqttsn.dup': isPublish ? bit('dup') : '',
    'mqttsn.retain': isPublish ? bit('retain') : '',
    'mqttsn.pub.msg': octets('data'),
    'mqttsn.gw.id': text('gwId'),
    'mqttsn.adv.interv': type === 'advertise' ? text('duration') : '',
    'mqttsn.radius': text('radius'),
    'mqttsn.wireless.node.id':
      nodeId === undefined ? '' : String(Buffer.from(nodeId).readUIntBE(0, nodeId.length)),
    ...(named && packet.topicIdType === 'normal' && { 'mqttsn.topic.name.or.id': packet.topicName }),
  }
}

/** tshark reads flags even in the empty forms of WILLTOPIC and WILLTOPICUPD, which have none [5.4.7, 5.4.22]. */
const hasNoFlags = (packet: Packet): boolean =>
  (packet.type === 'willtopic' || packet.type === 'willtopicupd') && packet.willTopic === null

describe('tshark agrees with us', () => {
  it('on every datagram of a run that provokes all messages [SN-TYP-1] [SN-TYP-4, SN-COD-6 in part]', async (context) => {
    context.skip(!haveTshark, 'tshark is not installed')
    const broker = await startAedes()
    onTestFinished(() => broker.close())
    const wire: CapturedDatagram[] = []
    const group = await openEndpoint('225.1.1.1', 0, true)
    onTestFinished(() => group.close())
    group.socket.addMembership('225.1.1.1', '127.0.0.1')
    const listener = {
      url: 'udp://127.0.0.1:0',
      forwarders: ['127.0.0.1'],
      discovery: { group: '225.1.1.1', port: group.port, advertise: '1s' },
    }
    const test = await TestGateway.start(broker, {
      listeners: [listener],
      predefined: { 1: 'predefined/one' },
    })
    onTestFinished(() => test.stop())
    const office = await Office.at(broker)
    onTestFinished(() => office.close())

    wire.push({ from: GATEWAY, to: SENSOR, bytes: (await group.next()).bytes }) // ADVERTISE
    for (const nodeId of [
      undefined,
      Uint8Array.of(7),
      Uint8Array.of(0x12, 0x34),
      Uint8Array.of(1, 2, 3, 4),
    ]) {
      const searcher = await recorded(test.url(), wire)
      const found = new Promise<void>((resolve) => {
        searcher.onReceive = () => resolve()
      })
      searcher.send(encodeFrame({ type: 'searchgw', radius: 1 }, nodeId))
      await found
      searcher.close()
      const transport = await recorded(test.url(), wire)
      const will = { topic: 'will/old', message: 'gone', qos: 1 as const }
      await everything(
        test.sensor({ transport, ...(nodeId && { nodeId }), will, predefined: { 1: 'predefined/one' } }),
        office,
      )
    }

    const readings = dissect(wire, GATEWAY)
    expect(readings).toHaveLength(wire.length)
    const types = { sensor: new Set<string>(), gateway: new Set<string>() }
    for (const [index, { bytes, from }] of wire.entries()) {
      const reading = readings[index] as Reading
      const { packet, nodeId } = decodeFrame(bytes)
      if (packet.type === 'malformed') throw new Error(`we sent ${Buffer.from(bytes).toString('hex')}`)
      types[from === SENSOR ? 'sensor' : 'gateway'].add(packet.type)
      if (nodeId === undefined) expect(reading['_ws.col.Info']).toContain(NAMES[packet.type])
      expect(reading['_ws.malformed'] !== '').toBe(hasNoFlags(packet))
      const want = expected(bytes, packet, nodeId)
      const got = Object.fromEntries(Object.keys(want).map((field) => [field, reading[field as Field]]))
      expect(got).toEqual(want)
    }
    expect([...types.sensor].sort()).toEqual([...onlySensors, ...both].sort())
    expect([...types.gateway].sort()).toEqual([...onlyGateways, ...both].sort())
  })

  it('on what really goes over the wire, in a live capture', async (context) => {
    context.skip(!haveTshark, 'tshark is not installed')
    const test = await TestGateway.start('embedded')
    onTestFinished(() => test.stop())
    const live = capture(Number(new URL(test.url()).port))
    onTestFinished(() => live.close())
    const probe = await test.peer()
    await until(() => {
      probe.send('0217') // a PINGRESP, which nobody answers: an answer could come into the story
      return live.readings.length > 0 || !live.running
    })
    context.skip(!live.running, 'this user may not capture on the loopback interface')
    const sensor = await test.connected()
    await sensor.publish('live/a', 'x', { qos: 2 })
    await sensor.disconnect()
    const names = () => live.readings.map((reading) => reading['_ws.col.Info'])
    const story: PacketType[] = [
      'connect',
      'connack',
      'register',
      'regack',
      'publish',
      'pubrec',
      'pubrel',
      'pubcomp',
      'disconnect',
      'disconnect',
    ]
    const start = () => names().indexOf(NAMES.connect)
    await until(() => start() >= 0 && names().length >= start() + story.length)
    expect(names().slice(start(), start() + story.length)).toEqual(story.map((type) => NAMES[type]))
    expect(live.readings.map((reading) => reading['_ws.malformed'])).toEqual(live.readings.map(() => ''))
  })
})
