// A session whose sensor shares its connection to the broker with others: its will, its pace, and what a break means for it.

import { describe, expect, it } from 'vitest'
import { text, type VirtualSensor, World, type WorldOptions } from '../../support/world.ts'

const DAY = 86_400_000
const will = { topic: 'lwt/1', message: 'gone', qos: 1, retain: true } as const
const sharing: WorldOptions = { policy: () => ({ pool: 'all' }) }

function withWill(options: { cleanSession?: boolean } = {}): [World, VirtualSensor] {
  const world = new World(sharing)
  const sensor = world.sensor()
  sensor.connectWithWill('dev1', will, { cleanSession: false, ...options })
  return [world, sensor]
}

const published = (world: World) =>
  world.broker.published.map(
    ({ topic, payload, qos, retain }) => `${topic} ${text(payload)} ${qos}${retain ? ' retain' : ''}`,
  )

describe('the will of a sensor that shares its connection', () => {
  it('is published by the gateway when the sensor is lost, once, and its connection is not told to [SN-WILL-6]', () => {
    const [world] = withWill()
    world.advance(DAY)
    expect(published(world)).toEqual(['lwt/1 gone 1 retain'])
    expect(world.broker.wills).toEqual([])
    expect(world.session('dev1')).toMatchObject({ state: 'lost', uplink: { spooled: { messages: 0 } } })
  })

  it('keeps a clean session until the broker has it, however long that is away', () => {
    const [world] = withWill({ cleanSession: true })
    world.advance(80_000)
    world.broker.crash()
    world.advance(DAY / 24)
    expect(world.session('dev1').state).toBe('lost')
    world.broker.reachable = true
    world.advance(DAY / 24)
    expect(published(world)).toEqual(['lwt/1 gone 1 retain'])
    expect(world.sessions.byClientId.has('dev1')).toBe(false)
  })

  it('is not published for a sensor that has ended well, whatever becomes of the gateway', () => {
    const [world, sensor] = withWill()
    world.receive({ type: 'disconnect', duration: null }, sensor.peer)
    world.restart(60_000)
    world.advance(DAY)
    expect(published(world)).toEqual([])
  })

  it('outlives a crash of the gateway after the sensor was lost, and one before', () => {
    for (const isLost of [true, false]) {
      const [world] = withWill()
      world.advance(80_000)
      world.broker.crash()
      if (isLost) world.advance(20_000)
      expect(world.session('dev1').state).toBe(isLost ? 'lost' : 'active')
      world.becomeSafe()
      world.restart(60_000)
      world.broker.reachable = true
      world.advance(DAY)
      expect(published(world)).toEqual(['lwt/1 gone 1 retain'])
    }
  })

  it('is not published because the gateway crashed, if the sensor is there afterwards', () => {
    const [world, sensor] = withWill()
    world.becomeSafe()
    world.restart(1000)
    for (let minute = 0; minute < 60; minute++) {
      world.receive({ type: 'pingreq', clientId: null }, sensor.peer)
      world.advance(50_000)
    }
    expect(published(world)).toEqual([])
  })

  it('is changed at once, without another connection [SN-WILL-8]', () => {
    const [world, sensor] = withWill()
    const { connects } = world.broker
    const [answer] = sensor.send({ type: 'willmsgupd', willMsg: new TextEncoder().encode('other') })
    expect(answer).toEqual({ type: 'willmsgresp', returnCode: 0 })
    expect(world.broker.connects).toBe(connects)
    world.advance(DAY)
    expect(published(world)).toEqual(['lwt/1 other 1 retain'])
  })
})

describe('a break of a connection that many share', () => {
  it('accuses nobody, and is mended at once', () => {
    const world = new World(sharing)
    const sensor = world.sensor()
    sensor.connect('dev1', { duration: 3600 })
    const topicId = sensor.register('a')
    world.broker.answers = false
    sensor.publish(topicId, 'one', { qos: 1, msgId: 5 })
    const session = world.session('dev1')
    for (let i = 0; i < 5; i++)
      world.happen(session, { type: 'closed', why: 'lost', detail: '', moved: true })
    expect(session.link).toMatchObject({ state: 'connecting', hangUps: { suspicion: undefined, blamed: [] } })
  })

  it('at which its request was alone, after another one, is reason enough to give that up', () => {
    const world = new World({ policy: () => ({ pool: 'all', ack: 'store' }) })
    const sensor = world.sensor()
    sensor.connect('dev1', { duration: 3600 })
    const topicId = sensor.register('bad')
    world.broker.answers = false
    for (const msgId of [5, 6]) sensor.publish(topicId, `poison ${msgId}`, { qos: 1, msgId })
    const session = world.session('dev1')
    const [first] = [...session.uplink.outgoing].map(([token]) => token)
    const alone = { token: first ?? 0, topic: 'bad', retain: false, length: 8, again: true }
    world.happen(session, { type: 'closed', why: 'lost', detail: '', alone })
    expect([...session.uplink.dead.values()].map(({ token }) => token)).toEqual([first])
    expect(session.uplink.outgoing.size).toBe(1)
  })

  it('may end a subscription that the broker does not take back', () => {
    const world = new World(sharing)
    const sensor = world.sensor()
    sensor.connect('dev1', { duration: 3600 })
    sensor.subscribe('a', 1)
    const session = world.session('dev1')
    world.happen(session, { type: 'subscriptionEnded', filter: 'a', why: 'hung-up' })
    expect([session.subscriptions.size, world.drops()]).toEqual([0, ['hung-up']])
  })
})

it('other rules move a session to a connection of another kind', () => {
  let pool: string | undefined = 'all'
  const world = new World({ policy: () => ({ pool }) })
  world.sensor().connect('dev1', { duration: 3600 })
  const session = world.session('dev1')
  pool = undefined
  session.policy = { ...session.policy, pool }
  const { connects } = world.broker
  world.happen(session, { type: 'rules' })
  expect([session.link.pool, world.broker.connects - connects]).toEqual([undefined, 1])
})

it('messages that a sensor has no room for hold up others for a second, and then its queue decides', () => {
  const world = new World({ ...sharing, limits: { queuedMessages: 4 } })
  const sensor = world.sensor()
  sensor.connect('dev1', { duration: 3600, cleanSession: false })
  sensor.subscribe('a', 1)
  const route = (count: number) => {
    for (let i = 0; i < count; i++)
      world.broker.route({ topic: 'a', payload: new TextEncoder().encode(`${i}`), qos: 1 }, 'office')
    world.advance(10)
  }
  route(8) // the sensor answers nothing
  const { downlink } = world.session('dev1')
  expect(downlink.withheld?.length).toBeGreaterThan(0)
  world.advance(1100)
  expect(downlink.withheld).toBeUndefined()
  expect(downlink.queue.length).toBe(4)
  const before = world.drops().length
  route(3)
  expect(downlink.withheld).toBeUndefined()
  expect(world.drops().length).toBe(before + 3)
  expect(world.broker.acknowledged.length).toBe(11)
})
