// A table that is full: a share for each source, and sessions of sensors that are gone give way to newcomers [SN-CONN-19, SN-ROB-1].

import { describe, expect, it } from 'vitest'
import type { Packet } from '../../../src/codec/v1/messages.ts'
import { World } from '../../support/world.ts'

const connack = (returnCode: number): Packet => ({ type: 'connack', returnCode })
const kept = { cleanSession: false, duration: 60 } as const
const gaveWay = (world: World): string[] =>
  world.effects.flatMap((effect) => (effect.type === 'gaveWay' ? [effect.session.clientId] : []))
const endedAtBroker = (world: World): string[] =>
  world.effects.flatMap((effect) => (effect.type === 'endAtBroker' ? [effect.session.clientId] : []))
const reasons = (world: World): string[] =>
  world.effects.flatMap((effect) => (effect.type === 'refused' ? [effect.refusal.reason] : []))

describe('a full table', () => {
  it('of sessions with fresh ClientIds from one address does not keep newcomers out', () => {
    const world = new World({ limits: { sensors: 200 } })
    const flood = world.sensor('10.6.6.6')
    for (let i = 0; i < 2400; i++) flood.connect(`fresh${i}`, kept)
    for (let i = 0; i < 20; i++) {
      expect(world.sensor(`10.0.0.${i}`).connect(`honest${i}`, kept), `honest${i}`).toEqual([connack(0)])
    }
    expect(world.sessions.byClientId.size).toBe(200)
    expect(endedAtBroker(world)).toEqual(gaveWay(world))
  })

  it('from one address and many ports leaves the other half to others, while none of its sensors is gone', () => {
    const world = new World({ limits: { sensors: 100, sensorsPerAddress: 50 } })
    const answers = Array.from({ length: 120 }, (_, i) =>
      world.sensor('10.6.6.6', 1000 + i).connect(`fresh${i}`, kept),
    )
    expect(answers.filter(([answer]) => answer?.type === 'connack' && answer.returnCode === 0)).toHaveLength(
      50,
    )
    expect(new Set(reasons(world))).toEqual(new Set(['too-many-of-address']))
    for (let i = 0; i < 50; i++) {
      expect(world.sensor(`10.0.1.${i}`).connect(`honest${i}`, kept)).toEqual([connack(0)])
    }
    expect(world.sensor('10.0.2.1').connect('late', kept)).toEqual([connack(1)])
    expect(reasons(world).at(-1)).toBe('too-many-sensors')
  })

  it('of sessions with dead letters keeps no newcomer out: these go last, the oldest first, and their letters are counted', () => {
    const world = new World({ limits: { sensors: 3 }, random: () => 0, policy: () => ({ ack: 'store' }) })
    world.broker.hangsUpAt = (topic) => topic === 'bad'
    for (const [name, isPoisoned] of [['letter1', true], ['letter2', true], ['used', false]] as const) {
      const sensor = world.sensor(`10.0.0.${name.length}${isPoisoned ? 1 : 2}`)
      sensor.connect(name, kept)
      sensor.publish(sensor.register(isPoisoned ? 'bad' : 'good'), 'x', { qos: 1, msgId: 1 })
      world.advance(20_000)
      sensor.send({ type: 'disconnect', duration: null })
      world.advance(1000)
    } // biome-ignore format: a table
    expect(world.deadLetters.messages).toBe(2)
    for (let i = 0; i < 3; i++) {
      expect(world.sensor(`10.1.0.${i}`).connect(`n${i}`, kept)).toEqual([connack(0)])
      world.advance(2000)
    }
    expect(gaveWay(world)).toEqual(['used', 'letter1', 'letter2'])
    expect(world.drops().filter((reason) => reason === 'dead-letters-full')).toHaveLength(2)
    expect(world.deadLetters).toEqual({ messages: 0, octets: 0 })
  })

  it('gives up what was never used first, then what is gone for longest, and never what is there or acknowledged', () => {
    const world = new World({
      limits: { sensors: 5 },
      policy: (clientId) => (clientId === 'spooler' ? { ack: 'store' } : {}),
    })
    const leave = (name: string, address: string, isUsed: boolean) => {
      const sensor = world.sensor(address)
      sensor.connect(name, kept)
      if (isUsed) sensor.subscribe('d/a', 1)
      sensor.send({ type: 'disconnect', duration: null })
      world.advance(1000)
    }
    leave('old', '10.0.0.1', true)
    leave('new', '10.0.0.2', true)
    leave('unused', '10.0.0.3', false)
    world.sensor('10.0.0.4').connect('asleep', kept)
    world.sensor('10.0.0.4').sleep(3000)
    const spooler = world.sensor('10.0.0.5')
    spooler.connect('spooler', kept)
    world.broker.crash()
    spooler.publish(0x6162, 'x', { topicIdType: 'short', qos: 1, msgId: 1 })
    spooler.send({ type: 'disconnect', duration: null })
    world.advance(1000)
    const newcomers = ['n1', 'n2', 'n3', 'n4'].map((name, i) => {
      // their setups wait for the broker, and fill the table meanwhile
      world.receive(
        { type: 'connect', will: false, protocolId: 1, clientId: name, ...kept },
        world.sensor(`10.1.0.${i}`).peer,
      )
      return gaveWay(world).at(-1)
    })
    expect(newcomers.slice(0, 3)).toEqual(['unused', 'old', 'new'])
    expect(gaveWay(world)).toHaveLength(3)
    expect(reasons(world)).toContain('too-many-sensors')
    for (const name of ['asleep', 'spooler']) expect(world.sessions.byClientId.has(name)).toBe(true)
  })

  it('lets no source that has many sessions push out what sensors elsewhere keep', () => {
    const world = new World({ limits: { sensors: 10 } })
    for (let i = 0; i < 4; i++) {
      const sensor = world.sensor(`10.0.0.${i}`)
      sensor.connect(`kept${i}`, kept)
      sensor.subscribe('d/a', 1)
      sensor.send({ type: 'disconnect', duration: null })
    }
    for (let i = 0; i < 50; i++) {
      const sensor = world.sensor('10.6.6.6', 1000 + i)
      sensor.connect(`fresh${i}`, { ...kept, duration: 0 })
      sensor.subscribe('d/a')
    }
    expect(gaveWay(world)).toEqual([])
    expect([0, 1, 2, 3].every((i) => world.sessions.byClientId.has(`kept${i}`))).toBe(true)
  })
})

it('counts sessions by source also over moves, ends and restarts', () => {
  const world = new World()
  world.sensor('10.0.0.1').connect('a', kept)
  world.sensor('10.0.0.1', 6000).connect('b', kept)
  world.sensor('10.0.0.2').connect('b', kept)
  world.sensor('10.0.0.1', 7000).connect('c')
  expect(Object.fromEntries(world.sessions.bySource)).toEqual({ '10.0.0.1': 2, '10.0.0.2': 1 })
  world.sensor('10.0.0.1', 7000).send({ type: 'disconnect', duration: null })
  world.sensor('10.0.0.1').send({ type: 'disconnect', duration: null })
  world.advance(1000)
  world.restart()
  expect(Object.fromEntries(world.sessions.bySource)).toEqual({ '10.0.0.1': 1, '10.0.0.2': 1 })
})

it('forgetting a session by hand ends it at the broker, one that ended by itself with a clean session does not', () => {
  const world = new World()
  world.sensor('10.0.0.1').connect('a', kept)
  world.sensor('10.0.0.2').connect('b')
  for (const name of ['a', 'b']) world.happen(world.session(name), { type: 'command', command: 'forget' })
  expect(world.sessions.byClientId.size).toBe(0)
  expect(endedAtBroker(world)).toEqual(['a'])
})

describe('a line that is full', () => {
  it('sends newcomers away with congestion, once it has been full for a second, and nobody who is there', () => {
    const world = new World()
    const link = { room: 10 }
    Object.assign(world.listener, { room: () => link.room })
    const old = world.sensor('xbee/0001')
    expect(old.connect('old', kept)).toEqual([connack(0)])
    link.room = 0
    // a burst of newcomers fills the line by itself
    expect(world.sensor('xbee/0002').connect('burst', kept)).toEqual([connack(0)])
    world.advance(1000)
    expect(world.sensor('xbee/0003').connect('new', kept)).toEqual([connack(1)])
    expect(reasons(world)).toEqual(['link-full'])
    expect(old.connect('old', kept)).toEqual([connack(0)])
    link.room = 1
    expect(world.sensor('xbee/0003').connect('new', kept)).toEqual([connack(0)])
    link.room = 0
    expect(world.sensor('xbee/0004').connect('later', kept)).toEqual([connack(0)])
  })
})
