// A sleeping Sensor [6.14, figure 5].

import { once } from 'node:events'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Packet } from '../../src/codec/v1/messages.ts'
import { Sensor } from '../../src/sensor/sensor.ts'
import { acceptingGateway, UdpPeer } from '../support/sensor.ts'

let gateway: UdpPeer
let sensor: Sensor
let story: string[]

beforeEach(() => start(5000))

afterEach(stop)

async function start(tRetry: number): Promise<void> {
  gateway = await UdpPeer.open()
  gateway.script = acceptingGateway()
  sensor = new Sensor({ gateway: gateway.url, clientId: 'dev1', tRetry, nRetry: 2 })
  await sensor.connect()
  story = []
  sensor.on('state', (state) => story.push(state))
  sensor.on('message', ({ payload }) => story.push(Buffer.from(payload).toString()))
}

async function stop(): Promise<void> {
  sensor.close()
  await gateway.close()
}

const message = (text: string, msgId: number): Packet => ({
  type: 'publish',
  dup: false,
  qos: msgId === 0 ? 0 : 1,
  retain: false,
  topicIdType: 'short',
  topicId: 0x6162,
  msgId,
  data: Buffer.from(text),
})

it('sleeps, wakes, gets what was kept for it and sleeps again', async () => {
  await sensor.sleep(300)
  gateway.script = (packet) => (packet.type === 'pingreq' ? [message('m1', 0), message('m2', 3)] : [])
  const waking = sensor.wake()
  await gateway.next('puback')
  expect(sensor.state).toBe('awake')
  gateway.send('0217')
  await waking
  expect(story).toEqual(['asleep', 'awake', 'm1', 'm2', 'asleep'])
  expect(gateway.heard.map(({ hex }) => hex).slice(1)).toEqual(['0418012c', '061664657631', '070d6162000300'])
})

it('repeats PINGREQ only after silence, since each message shows that the gateway is there', async () => {
  await stop()
  await start(500)
  await sensor.sleep(300)
  gateway.script = () => []
  const waking = sensor.wake()
  for (let count = 0; count < 5; count += 1) {
    await new Promise((resolve) => setTimeout(resolve, 150))
    gateway.send(message('m', 0))
  }
  gateway.send('0217')
  await waking
  expect(gateway.types()).toBe('connect disconnect pingreq')
})

it('goes back to sleep when the gateway stays silent, and can wake later', async () => {
  await stop()
  await start(50)
  await sensor.sleep(300)
  gateway.script = () => []
  await expect(sensor.wake()).rejects.toMatchObject({ code: 'timeout' })
  expect(sensor.state).toBe('asleep')
  expect(gateway.types()).toBe('connect disconnect pingreq pingreq pingreq')
  gateway.script = acceptingGateway()
  await sensor.wake()
  expect(story).toEqual(['asleep', 'awake', 'asleep', 'awake', 'asleep'])
})

it('hears nothing while it sleeps', async () => {
  await sensor.sleep(300)
  const heard = once(sensor, 'packet').then(() => once(sensor, 'packet'))
  gateway.send(message('too early', 3))
  gateway.send('0218')
  await heard
  await sensor.wake()
  expect(story).toEqual(['asleep', 'awake', 'asleep'])
  expect(gateway.types()).toBe('connect disconnect pingreq')
})

it('refuses to publish while asleep; connecting again resumes without clean session and will', async () => {
  await sensor.sleep(300)
  await expect(sensor.publish('a', '')).rejects.toMatchObject({ code: 'not-connected' })
  await sensor.connect()
  expect(gateway.heard.at(-1)?.packet).toMatchObject({ type: 'connect', cleanSession: false, will: false })
  expect(sensor.state).toBe('active')
})

it('changes its sleeping time, and disconnects from sleep', async () => {
  await sensor.sleep(300)
  await sensor.sleep(600)
  await sensor.disconnect()
  expect(gateway.heard.map(({ hex }) => hex).slice(1)).toEqual(['0418012c', '04180258', '0218'])
  await expect(sensor.sleep(0)).rejects.toMatchObject({ code: 'invalid' })
})

it('is disconnected when the gateway does not know it on waking', async () => {
  await sensor.sleep(300)
  gateway.script = () => [{ type: 'disconnect', duration: null }]
  await expect(sensor.wake()).rejects.toMatchObject({ code: 'disconnected' })
  expect(sensor.state).toBe('disconnected')
})
