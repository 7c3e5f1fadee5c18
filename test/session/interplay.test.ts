// Parts of the session core beside each other: suspicion, dead letters, refused messages, restarts.

import { describe, expect, it } from 'vitest'
import type { Effect } from '../../src/session/events.ts'
import { spoolPolicy, text, World, type WorldOptions } from '../support/world.ts'

const stores: WorldOptions = { policy: () => ({ ack: 'store', spool: { ...spoolPolicy } }) }
const arrived = (world: World) => world.broker.published.map(({ payload }) => text(payload))
const disk = (w: World) =>
  [...(w.store.disk.get('dev1')?.uplinks.values() ?? [])].map(
    (u) => `${text(u.data)} ${u.broker} ${u.sensor}`,
  )

/** A sensor that has registered two topics. */
function connected(world: World) {
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: false, duration: 3600 })
  return { sensor, good: sensor.register('good'), bad: sensor.register('bad') }
}

/** The broker refuses messages of the topic 'bad', with a reason. */
function refusing(world: World): void {
  const perform = world.broker.perform.bind(world.broker)
  world.broker.perform = (e: Effect) => {
    if (e.type === 'publish' && e.topic === 'bad') {
      world.after(1, () =>
        world.happen(e.session, { type: 'published', token: e.token, outcome: 3, reason: 0x87 }),
      )
    } else perform(e)
  }
}

describe('what stands beside each other in a session', () => {
  it('a subscription that cannot be restored for now does not stop publishes that go one at a time [SN-MAP-3]', () => {
    const world = new World({ ...stores, random: () => 0 })
    const { sensor, good, bad } = connected(world)
    sensor.subscribe('cmd', 1)
    world.broker.hangsUpAt = (t) => t === 'bad'
    sensor.publish(bad, 'poison', { qos: 1, msgId: 3 })
    world.broker.stored.clear() // broker has lost the session
    world.broker.subscribeOutcome = 1 // quota, for now
    world.advance(3_000)
    world.broker.subscribeOutcome = 0
    world.broker.hangsUpAt = () => false
    sensor.publish(good, 'important', { qos: 1, msgId: 4 })
    for (let i = 0; i < 60; i++) {
      sensor.send({ type: 'pingreq', clientId: null })
      world.advance(60_000)
    }
    expect(arrived(world)).toContain('important')
  })

  it('a full window of refused messages of one topic holds back no other topic', () => {
    const world = new World({ ...stores, random: () => 0 })
    refusing(world)
    const { sensor, good, bad } = connected(world)
    for (let i = 0; i < 33; i++) sensor.publish(bad, `bad${i}`, { qos: 1, msgId: 3 + i })
    sensor.publish(good, 'important', { qos: 1, msgId: 100 })
    for (let i = 0; i < 60; i++) {
      sensor.send({ type: 'pingreq', clientId: null })
      world.advance(60_000)
    }
    expect(arrived(world)).toContain('important')
  })

  it('a discarded dead letter leaves alone what the sensor has under way with the same MsgId [SN-PUB-10]', () => {
    const world = new World({ ...stores, random: () => 0 })
    const { sensor, good, bad } = connected(world)
    world.broker.hangsUpAt = (t) => t === 'bad'
    sensor.publish(bad, 'poison', { qos: 1, msgId: 7 })
    world.advance(20_000)
    expect(world.session('dev1').uplink.dead.size).toBe(1)
    sensor.publish(good, 'once', { qos: 2, msgId: 7 })
    world.happen(world.session('dev1'), { type: 'command', command: 'discardDeadLetters' })
    sensor.publish(good, 'once', { qos: 2, msgId: 7, dup: true })
    sensor.send({ type: 'pubrel', msgId: 7 })
    world.advance(5000)
    expect(arrived(world)).toEqual(['once'])
  })

  it('and the record of that goes when it is done', () => {
    const world = new World({ ...stores, random: () => 0 })
    const { sensor, good, bad } = connected(world)
    world.broker.hangsUpAt = (t) => t === 'bad'
    sensor.publish(bad, 'poison', { qos: 1, msgId: 7 })
    world.advance(20_000)
    sensor.publish(good, 'once', { qos: 2, msgId: 7 })
    world.happen(world.session('dev1'), { type: 'command', command: 'discardDeadLetters' })
    sensor.send({ type: 'pubrel', msgId: 7 })
    world.advance(5000)
    expect(disk(world)).toEqual([])
  })

  it('a dead letter that was sent again before its PUBREL came is gone from the store', () => {
    const world = new World({ ...stores, random: () => 0 })
    const sensor = world.sensor()
    sensor.connect('dev1', { cleanSession: false, duration: 3600 })
    sensor.register('good')
    const bad = sensor.register('bad')
    world.broker.hangsUpAt = (t) => t === 'bad'
    sensor.publish(bad, 'poison', { qos: 2, msgId: 7 })
    world.advance(20_000)
    world.broker.hangsUpAt = () => false
    world.happen(world.session('dev1'), { type: 'command', command: 'resendDeadLetters' })
    world.advance(20_000)
    sensor.send({ type: 'pubrel', msgId: 7 })
    world.advance(20_000)
    expect(disk(world)).toEqual([])
  })

  it('a clean CONNECT ends transactions in the store, too: the same MsgId is a new message after a crash [SN-SESS-8]', () => {
    const world = new World({ ...stores, random: () => 0 })
    const sensor = world.sensor()
    sensor.connect('dev1', { cleanSession: true, duration: 3600 })
    let t = sensor.register('boot')
    world.broker.publishOutcome = 0
    world.broker.crash()
    sensor.publish(t, 'boot', { qos: 2, msgId: 1 })
    world.broker.reachable = true
    // reboots before PUBREL
    world.broker.hangsUpAt = () => false
    const perform = world.broker.perform.bind(world.broker)
    world.broker.perform = (e: Effect) => {
      if (e.type !== 'publish') perform(e)
    } // slow broker: nothing answered
    sensor.connect('dev1', { cleanSession: true, duration: 3600 })
    world.restart()
    t = sensor.register('boot')
    sensor.publish(t, 'boot', { qos: 2, msgId: 1 })
    world.broker.perform = perform
    sensor.send({ type: 'pubrel', msgId: 1 })
    world.broker.crash()
    world.broker.reachable = true
    world.advance(120_000)
    expect(arrived(world)).toEqual(['boot', 'boot'])
  })

  it('an id that was given a second time means nothing until it is confirmed, also after a restart [SN-REG-8]', () => {
    const world = new World({ random: () => 0, limits: { topicsPerSensor: 4 } })
    const sensor = world.sensor()
    sensor.connect('dev1', { cleanSession: false, duration: 3600 })
    sensor.subscribe('w/#', 1)
    const s = world.session('dev1')
    s.topics.isSecondRound = true // as after 32,766 names
    world.publish('w/abc', 'x', 1) // REGISTER is sent, and not answered
    const reg = sensor.take().find((p) => p.type === 'register')
    const id = reg?.type === 'register' ? reg.topicId : 0
    sensor.publish(id, 'old meaning', { qos: 1, msgId: 5 })
    world.restart()
    world.advance(1000)
    sensor.publish(id, 'old meaning', { qos: 1, msgId: 6 })
    expect(world.broker.published.map((m) => m.topic)).toEqual(['w/abc'])
  })

  it('QoS 0 of a sensor goes on while a refused message waits, also at a broker that closes after refusing', () => {
    const world = new World({ ...stores, random: () => 0 })
    const { sensor, good, bad } = connected(world)
    world.broker.closesAfterRefusing = (t) => t === 'bad'
    sensor.publish(bad, 'poison', { qos: 1, msgId: 7 })
    world.advance(600_000)
    const n = 600
    for (let i = 0; i < n; i++) {
      sensor.publish(good, `q${i}`)
      world.advance(95)
    }
    expect(arrived(world)).toHaveLength(n)
  })
})
