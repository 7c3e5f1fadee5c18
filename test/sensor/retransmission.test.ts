// A Sensor on a link that loses datagrams [6.13].

import { once } from 'node:events'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { PacketType } from '../../src/codec/v1/messages.ts'
import { Sensor, type SensorOptions } from '../../src/sensor/sensor.ts'
import { acceptingGateway, UdpPeer } from '../support/sensor.ts'

let gateway: UdpPeer
let sensor: Sensor

beforeEach(async () => {
  gateway = await UdpPeer.open()
  gateway.script = acceptingGateway()
})

afterEach(async () => {
  sensor.close()
  await gateway.close()
})

function create(options: SensorOptions = {}): Sensor {
  sensor = new Sensor({ gateway: gateway.url, clientId: 'dev1', tRetry: 30, ...options })
  return sensor
}

/** The first datagram of this type is lost on its way to the gateway. */
function loseFirst(type: PacketType): void {
  let lost = false
  gateway.lose = (packet) => {
    const loses = packet.type === type && !lost
    lost ||= loses
    return loses
  }
}

const heard = (type: PacketType) =>
  gateway.heard.filter(({ packet }) => packet.type === type).map(({ packet, hex }) => ({ packet, hex }))

it('repeats a QoS 1 PUBLISH with DUP and the same MsgId', async () => {
  await create().connect()
  await sensor.register('a/b')
  loseFirst('publish')
  await sensor.publish('a/b', '1', { qos: 1 })
  const [first, second] = heard('publish')
  expect(first?.packet).toMatchObject({ dup: false, msgId: 2 })
  expect(second?.packet).toMatchObject({ dup: true, msgId: 2, data: Buffer.from('1') })
})

it('repeats SUBSCRIBE with DUP, and other requests unchanged', async () => {
  await create({ will: { topic: 'w', message: 'm' } }).connect()
  loseFirst('subscribe')
  await sensor.subscribe('a', 1)
  expect(
    heard('subscribe')
      .slice(0, 2)
      .map(({ packet }) => packet),
  ).toMatchObject([{ dup: false }, { dup: true }])
  const calls: [PacketType, () => Promise<unknown>][] = [
    ['register', () => sensor.register('b')],
    ['unsubscribe', () => sensor.unsubscribe('a')],
    ['willtopicupd', () => sensor.updateWillTopic('w2')],
    ['willmsgupd', () => sensor.updateWillMessage('m2')],
    ['pingreq', () => sensor.ping()],
    ['disconnect', () => sensor.disconnect()],
    ['connect', () => sensor.connect()],
    ['willtopic', () => sensor.connect()],
    ['willmsg', () => sensor.connect()],
  ]
  for (const [type, call] of calls) {
    gateway.heard.length = 0
    loseFirst(type)
    await call()
    expect(heard(type).length).toBeGreaterThan(1)
    expect(new Set(heard(type).map(({ hex }) => hex)).size).toBe(1)
  }
})

it('repeats PUBREL, not PUBLISH, once PUBREC has come', async () => {
  await create().connect()
  loseFirst('pubrel')
  await sensor.publish({ short: 'ab' }, '1', { qos: 2 })
  expect(gateway.types()).toMatch(/^connect( publish)+( pubrel){2,}$/)
})

it('gives up after the last repetition and takes the connection for lost', async () => {
  await create({ nRetry: 2 }).connect()
  gateway.script = () => []
  const ended = once(sensor, 'disconnected')
  const waiting = sensor.publish({ short: 'ab' }, '1', { qos: 1 })
  const queued = sensor.publish({ short: 'ab' }, '2', { qos: 1 })
  await Promise.all([
    expect(waiting).rejects.toMatchObject({ code: 'timeout' }),
    expect(queued).rejects.toMatchObject({ code: 'disconnected' }),
  ])
  expect(await ended).toEqual(['timeout'])
  expect(sensor.state).toBe('disconnected')
  expect(heard('publish')).toHaveLength(3)
})

it('reports a gateway that never answers CONNECT, and goes on when it appears', async () => {
  gateway.script = () => []
  await expect(create({ nRetry: 1 }).connect()).rejects.toMatchObject({ code: 'timeout' })
  gateway.script = acceptingGateway()
  await sensor.connect()
  expect(gateway.types()).toMatch(/^connect connect connect/)
})

it('survives a port where nobody listens', async () => {
  const { port } = gateway
  await gateway.close()
  const errors: string[] = []
  create().on('error', (error) => errors.push(error.code))
  const connecting = sensor.connect()
  await once(sensor, 'error')
  gateway = await UdpPeer.open('127.0.0.1', port)
  gateway.script = acceptingGateway()
  await connecting
  expect(errors).toContain('transport')
})

it('does not take the second answer to a repeated DISCONNECT for a new one', async () => {
  await create({ tRetry: 400 }).connect()
  gateway.script = () => []
  const sleeping = sensor.sleep(60)
  await gateway.next('disconnect')
  await gateway.next('disconnect')
  gateway.send('0218')
  await sleeping
  const waking = sensor.wake()
  await gateway.next('pingreq')
  gateway.send('0218')
  gateway.send('0217')
  await waking
  expect(sensor.state).toBe('asleep')
})

it('pings the gateway within the keep-alive time while nothing else is answered', async () => {
  await create({ keepAlive: 1, tRetry: 10_000 }).connect()
  const ping = gateway.next('pingreq', 2000)
  await sensor.publish({ short: 'ab' }, 'QoS 0 proves nothing about the gateway')
  await ping
})

it('notices through its pings that the gateway is gone', async () => {
  await create({ keepAlive: 1, nRetry: 1 }).connect()
  gateway.script = () => []
  expect(await once(sensor, 'disconnected')).toEqual(['timeout'])
  expect(gateway.types()).toBe('connect pingreq pingreq')
})

it('does not ping when told not to', async () => {
  await create({ keepAlive: 1, autoPing: false }).connect()
  await expect(gateway.next('pingreq', 1000)).rejects.toThrow('no pingreq')
})
