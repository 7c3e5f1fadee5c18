// What keeps one sensor, or many strangers, from harming the others [SN-ROB].

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../src/codec/v1/messages.ts'
import { World } from '../support/world.ts'

const connack = (returnCode: number): Packet => ({ type: 'connack', returnCode })
const disconnect: Packet = { type: 'disconnect', duration: null }

describe('limits', () => {
  it('bound the number of sensors, half-open setups included [SN-ROB-1]', () => {
    const world = new World({ limits: { sensors: 3 } })
    for (let i = 0; i < 10; i++) world.sensor(`10.0.0.${i}`).connect(`dev${i}`, { will: true })
    expect(world.sessions.byClientId.size).toBe(3)
    world.advance(60_000) // nobody answers WILLTOPICREQ: the places are free again
    expect(world.sensor('10.0.0.99').connect('dev99')).toEqual([connack(0)])
  })

  it('bound the setups that one address may begin in a second [SN-ROB-1]', () => {
    const world = new World({ limits: { connectsPerAddress: 5 } })
    for (let port = 1; port <= 20; port++) {
      world.receive({ ...connectOf(`dev${port}`) }, world.sensor('10.0.0.1', port).peer)
    }
    expect(world.sessions.byClientId.size).toBe(5)
    expect(world.drops().filter((reason) => reason === 'rate-limited')).toHaveLength(15)
    expect(world.sensor('10.0.0.2').connect('other')).toEqual([connack(0)])
  })

  it('bound the messages that wait for one sensor, and count what falls out [SN-ROB-1]', () => {
    const world = new World({ limits: { queuedMessages: 3 } })
    const sensor = world.sensor()
    sensor.connect('dev1')
    sensor.subscribe('d/a', 1)
    sensor.sleep(300)
    for (let i = 0; i < 10; i++) world.publish('d/a', `${i}`, 1)
    expect(world.session('dev1').downlink.queue).toHaveLength(3)
    expect(world.drops()).toEqual(Array(7).fill('queue-full'))
  })

  it('bound the octets that wait for all sensors together [SN-ROB-1]', () => {
    const world = new World({ limits: { totalQueuedOctets: 50 } })
    for (let i = 0; i < 5; i++) {
      const sensor = world.sensor(`10.0.0.${i}`)
      sensor.connect(`dev${i}`)
      sensor.subscribe('d/a', 1)
      sensor.sleep(300)
    }
    world.publish('d/a', new Uint8Array(17), 1) // 20 octets with its topic
    expect(world.totals).toEqual({ queuedMessages: 2, queuedOctets: 40 })
    expect(world.drops()).toEqual(Array(3).fill('queue-full'))
  })

  it('bound QoS -1 messages of one address [SN-ROB-1]', () => {
    const world = new World({ qosMinusOne: { perAddress: 4 } })
    for (let i = 0; i < 10; i++) world.sensor().sendHex('080c62616200007a')
    expect(world.broker.published.length).toBe(4)
    expect(world.drops()).toEqual(Array(6).fill('rate-limited'))
  })
})

const connectOf = (clientId: string): Packet => ({
  type: 'connect',
  will: false,
  cleanSession: true,
  protocolId: 1,
  duration: 60,
  clientId,
})

describe('allow lists', () => {
  const world = () =>
    new World({
      roaming: 'any',
      policy: (clientId) => ({
        denied: clientId === 'banned',
        mayComeFrom: (address) => clientId !== 'home' || address === '10.0.0.1',
      }),
    })

  it('refuse a ClientId that may not connect at all [SN-ROB-2]', () => {
    expect(world().sensor().connect('banned')).toEqual([connack(3)])
  })

  it('refuse to take a session over from an address that is not allowed [SN-ROB-2]', () => {
    const there = world()
    const [home, away] = [there.sensor('10.0.0.1'), there.sensor('10.0.0.2')]
    expect(home.connect('home')).toEqual([connack(0)])
    expect(away.connect('home')).toEqual([connack(3)])
    expect(home.take()).toEqual([])
    expect(there.session('home')).toMatchObject({ state: 'active', peer: home.peer })
  })

  it('refuse to wake a sensor from an address that is not allowed [SN-ROB-2]', () => {
    const there = world()
    const [home, away] = [there.sensor('10.0.0.1'), there.sensor('10.0.0.2')]
    home.connect('home')
    home.sleep(300)
    expect(away.wake('home')).toEqual([disconnect])
    expect(there.session('home')).toMatchObject({ state: 'asleep', peer: home.peer })
  })
})

describe('one silent sensor', () => {
  it('delays none of a hundred others [SN-ROB-4]', () => {
    const world = new World()
    const silent = world.sensor('10.1.0.1')
    silent.connect('silent')
    silent.subscribe('d/a', 1)
    const others = Array.from({ length: 100 }, (_, i) => {
      const sensor = world.sensor(`10.2.0.${i}`)
      sensor.connect(`dev${i}`)
      sensor.subscribe('d/a', 1)
      return sensor
    })
    for (let round = 0; round < 3; round++) {
      world.publish('d/a', `${round}`, 1)
      for (const sensor of others) {
        const [publish, ...more] = sensor.take()
        if (publish?.type !== 'publish') throw new Error('no PUBLISH')
        expect([new TextDecoder().decode(publish.data), more]).toEqual([`${round}`, []])
        const { topicId, msgId } = publish
        world.receive({ type: 'puback', topicId, msgId, returnCode: 0 }, sensor.peer)
      }
    }
    expect(silent.types()).toEqual(['publish'])
    expect(world.broker.acknowledged).toHaveLength(303) // none of its own holds up the broker [AMB-28]
  })
})

it('counts a sensor that an address was taken from by PINGREQ as lost, and clears up after it [SN-SLP-17, SN-STA-3]', () => {
  const world = new World({ roaming: 'any' })
  const [a, b] = [world.sensor('10.0.0.1'), world.sensor('10.0.0.2')]
  a.connectWithWill('a', { topic: 'lwt/a', message: 'gone' }, { cleanSession: false })
  b.connect('b', { cleanSession: false })
  b.sleep(300)
  expect(a.wake('b')).toEqual([{ type: 'pingresp' }])
  expect(world.session('a')).toMatchObject({ state: 'lost', peer: undefined, endedAt: world.now - 5 })
  expect(world.broker.wills).toMatchObject([{ topic: 'lwt/a' }])
  expect(world.sessions.byPeer.size).toBe(1)
  world.advance(60_000)
  expect(world.sessions.byClientId.size).toBe(2)
})
