// Simulated sensors inside a process that listens to them, as the demo does.

import { afterEach, beforeEach, expect, it } from 'vitest'
import { kinds } from '../../src/simulation/kinds.ts'
import { type SimulationEvent, simulate } from '../../src/simulation/simulation.ts'
import { acceptingGateway, UdpPeer } from '../support/sensor.ts'

let gateway: UdpPeer
let story: string[]
let end: AbortController

beforeEach(async () => {
  gateway = await UdpPeer.open()
  gateway.script = acceptingGateway()
  story = []
  end = new AbortController()
})

afterEach(() => gateway.close())

function start(
  name: string,
  options: { settings?: Record<string, string>; tRetry?: number; nRetry?: number } = {},
): Promise<void> {
  const simulation = kinds.find((kind) => kind.name === name)
  if (simulation === undefined) throw new Error(`no such kind: ${name}`)
  const { settings = {}, tRetry = 5000, nRetry = 3 } = options
  return simulate(simulation, {
    sensorOptions: { gateway: gateway.url, clientId: `${name}-1`, tRetry, nRetry },
    interval: 20,
    settings,
    signal: end.signal,
    say: (event) => story.push(tell(event)),
  })
}

function tell(event: SimulationEvent): string {
  if (event.type === 'state') return event.state
  if (event.type === 'note') return `note ${event.text}`
  return `${event.type} ${event.topic} ${event.qos}`
}

it.each([
  ['thermometer', 'published thermometer/thermometer-1/celsius 0'],
  ['door', 'published door/door-1 1'],
  ['meter', 'published meter/meter-1/used 2'],
  ['forwarded', 'published forwarded/forwarded-1/humidity 1'],
])('tells the story of a %s', async (name, published) => {
  const running = start(name)
  await gateway.next('publish')
  await gateway.next('publish')
  end.abort()
  await running
  expect(story.slice(0, 3)).toEqual(['connecting', 'active', published])
  expect(story.slice(-2)).toEqual(['disconnected', 'closed'])
  expect(gateway.types()).toMatch(/disconnect$/)
})

it('gives a door a will, and a forwarded sensor a node id', async () => {
  const door = start('door')
  expect(await gateway.next('willtopic')).toMatchObject({ willTopic: 'door/door-1', qos: 1, retain: true })
  await gateway.next('publish')
  end.abort()
  await door
  end = new AbortController()
  const forwarded = start('forwarded', { settings: { node: 'cafe' } })
  await gateway.next('register')
  expect(Buffer.from(gateway.heard.at(-1)?.nodeId ?? []).toString('hex')).toBe('cafe')
  end.abort()
  await forwarded
})

it('lets a valve sleep, fetch its set-point on waking and report its position', async () => {
  const accept = acceptingGateway()
  let waiting = true
  gateway.script = (packet, heard) => {
    if (packet.type !== 'pingreq' || !waiting) return accept(packet, heard)
    waiting = false
    const setpoint = { type: 'publish', dup: false, qos: 1, retain: false, topicIdType: 'normal' } as const
    return [{ ...setpoint, topicId: 1, msgId: 1, data: Buffer.from('73') }, { type: 'pingresp' }]
  }
  const running = start('valve')
  expect(await gateway.next('subscribe')).toMatchObject({ topicName: 'valve/valve-1/setpoint', qos: 1 })
  expect(await gateway.next('publish')).toMatchObject({ data: Buffer.from('0') })
  expect(await gateway.next('publish')).toMatchObject({ data: Buffer.from('73') })
  await gateway.next('disconnect')
  await gateway.next('pingreq')
  end.abort()
  await running
  const told = story.join(', ')
  expect(told).toContain(
    'asleep, awake, received valve/valve-1/setpoint 1, asleep, connecting, active, published',
  )
})

it('presses a button without any connection', async () => {
  const running = start('button', { settings: { predefined: '7' } })
  expect(await gateway.next('publish')).toMatchObject({ qos: -1, topicIdType: 'predefined', topicId: 7 })
  end.abort()
  await running
  expect(gateway.types()).not.toContain('connect')
})

it('connects again when the gateway ends the connection', async () => {
  const running = start('thermometer')
  await gateway.next('publish')
  gateway.send({ type: 'disconnect', duration: null })
  await gateway.next('connect')
  await gateway.next('publish')
  end.abort()
  await running
  expect(story.join(' ')).toMatch(/active .* disconnected .* ?connecting active/)
})

it('connects again when the gateway was silent, and tells about it', async () => {
  gateway.script = () => []
  const running = start('thermometer', { tRetry: 50, nRetry: 1 })
  for (let time = 0; time < 3; time += 1) await gateway.next('connect')
  gateway.script = acceptingGateway()
  await gateway.next('publish')
  end.abort()
  await running
  expect(story).toContain('note no answer to CONNECT, sent 2 times')
})

it('ends soon after the signal even if nobody answers', async () => {
  gateway.script = () => []
  const running = start('thermometer', { nRetry: 1000 })
  await gateway.next('connect')
  end.abort()
  await running
  expect(story.at(-1)).toBe('closed')
})
