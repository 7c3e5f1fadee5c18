// What else can happen in each state: the broker, time, the end of the gateway; and the state `lost` [6.14].

import { expect, it } from 'vitest'
import type { Event } from '../../src/session/events.ts'
import type { State } from '../../src/session/states.ts'
import { matchingPuback, messages, receiving } from '../support/every-message.ts'
import { cellOf, cellsOf, inState, letterOf, rowsOf, type Scene } from '../support/scene.ts'
import { bytes, noLimits, World } from '../support/world.ts'

const upstream =
  (event: Event) =>
  ({ world }: Scene): void =>
    world.happen(world.session('dev1'), event)
const time =
  (ms: number) =>
  ({ world }: Scene): void =>
    world.advance(ms)

const events: Record<string, (scene: Scene) => void> = {
  'broker accepts': upstream({ type: 'connected', sessionPresent: true, limits: noLimits }),
  'broker refuses, 1': upstream({ type: 'refused', outcome: 1, detail: '' }),
  'broker refuses, 3': upstream({ type: 'refused', outcome: 3, detail: '' }),
  'broker is silent': time(4000),
  'connection lost': upstream({ type: 'closed', why: 'lost', detail: '' }),
  'taken over': upstream({ type: 'closed', why: 'taken-over', detail: '' }),
  forbidden: upstream({ type: 'closed', why: 'forbidden', detail: '' }),
  message: upstream({
    type: 'message',
    message: { topic: 'd/a', payload: bytes('n'), qos: 1, retain: false },
    ack: 1,
    packetId: 0,
  }),
  'delivery complete': (scene) => scene.world.receive(matchingPuback(scene), scene.sensor.peer),
  'keep-alive passed': time(90_000),
  'sleep time passed': time(330_000),
  shutdown: upstream({ type: 'shutdown' }),
}

const eventColumns = ['willtopic', 'willmsg', 'connecting', 'active', 'asleep', 'awake', 'lost'] as const

// `-` cannot happen
//                   | W1   | W2   | U                  | A             | S        | K             | L
const eventRows = rowsOf(`
  broker accepts     | ok   | ok   | CONNACK →A         | ok            | ok       | ok            | -
  broker refuses, 1  | ok   | ok   | CONNACK:1 close →D | ok            | ok       | ok            | -
  broker refuses, 3  | ok   | ok   | CONNACK:3 close →D | DISC close →D | close →D | DISC close →D | -
  broker is silent   | -    | -    | CONNACK:1 close →D | -             | -        | -             | -
  connection lost    | ok   | ok   | CONNACK:1 close →D | ok            | ok       | ok            | -
  taken over         | ok   | ok   | CONNACK:1 close →D | DISC close →D | close →D | DISC close →D | -
  forbidden          | ok   | ok   | CONNACK:1 close →D | DISC close →D | close →D | DISC close →D | -
  message            | keep | keep | keep               | keep PUBLISH  | keep     | keep          | keep
  delivery complete  | -    | -    | -                  | -             | -        | PINGRESP →S   | -
  keep-alive passed  | -    | -    | -                  | PINGREQ will! →L | ok       | -             | -
  sleep time passed  | -    | -    | -                  | -             | will! →L | -             | -
  shutdown           | CONNACK:1 close →D | CONNACK:1 close →D | CONNACK:1 close →D | DISC close →D | close →D | DISC close →D | ok
`)

const repetitions: [State, string][] = [
  ['willtopic', 'WTREQ WTREQ WTREQ close →D'],
  ['willmsg', 'WMREQ WMREQ WMREQ close →D'],
  ['active', 'PUBLISH keep PUBLISH PUBLISH PUBLISH'],
  ['asleep', 'ok'],
  ['awake', 'PUBLISH PUBLISH PUBLISH →S'],
]

const cells = cellsOf<State>(eventRows, eventColumns).filter(([, , expected]) => expected !== '-')

it.each(cells)('%s: %s gives "%s" [SN-STA-1]', (state, row, expected) => {
  const step = events[row]
  if (step === undefined) throw new Error(`no event ${row}`)
  expect(cellOf(inState(state), step)).toBe(expected)
})

it.each(repetitions)('%s: all repetitions without an answer give "%s" [SN-STA-1]', (state, expected) => {
  const retriesUsedUp = ({ world }: Scene) => {
    if (state === 'active') world.publish('d/a', 'm', 1)
    world.advance(40_000)
  }
  expect(cellOf(inState(state), retriesUsedUp)).toBe(expected)
})

it('sends no CONNACK when the broker accepts in the middle of a newer will dialogue [SN-STA-1]', () => {
  const scene = inState('connecting')
  scene.sensor.connect('dev1', { cleanSession: false, will: true })
  expect(cellOf(scene, upstream({ type: 'connected', sessionPresent: false, limits: noLimits }))).toBe('ok')
  expect(cellOf(scene, time(9000))).toBe('ok')
  expect(letterOf(scene)).toBe('W1')
})

it('mends no connection in the middle of a will dialogue; the one at its end is new [SN-STA-1]', () => {
  const scene = inState('active')
  const { world, sensor } = scene
  world.broker.crash()
  world.broker.reachable = true
  sensor.connect('dev1', { cleanSession: false, will: true })
  expect(cellOf(scene, time(9000))).toBe('ok')
  sensor.send({ type: 'willtopic', qos: 0, retain: false, willTopic: null })
  expect(letterOf(scene)).toBe('A')
})

it('obeys other timers from the moment it is told of them [SN-KA-4]', () => {
  const world = new World({ timers: { inactivity: 0 } })
  world.sensor().connect('dev1', { duration: 0, cleanSession: false })
  world.advance(60_000)
  Object.assign(world.settings.timers, { inactivity: 90_000 })
  world.happen(world.session('dev1'), { type: 'rules' })
  world.advance(29_000)
  expect(world.session('dev1').state).toBe('active')
  world.advance(1000)
  expect(world.session('dev1').state).toBe('lost')
})

it('does at once what is overdue by other timers [SN-KA-4]', () => {
  const world = new World({ timers: { inactivity: 0 } })
  world.sensor().connect('dev1', { duration: 0, cleanSession: false })
  world.advance(60_000)
  Object.assign(world.settings.timers, { inactivity: 30_000 })
  world.happen(world.session('dev1'), { type: 'rules' })
  expect(world.session('dev1').state).toBe('lost')
})

it('leads from lost to active only by CONNECT [SN-STA-2]', () => {
  const scene = inState('lost')
  for (const row of Object.keys(messages)) {
    if (row.startsWith('CONNECT')) continue
    receiving(row)(scene)
    scene.world.advance(2000)
    expect(letterOf(scene)).toBe('L')
  }
  expect(scene.sensor.connect('dev1', { cleanSession: false })).toMatchObject([{ type: 'connack' }])
  expect(letterOf(scene)).toBe('A')
})

it('a lost sensor has no upstream connection and no address, but keeps its messages [SN-STA-3]', () => {
  const { world } = inState('asleep')
  const session = world.session('dev1')
  world.advance(400_000)
  expect(world.effects.filter(({ type }) => type === 'close')).toMatchObject([{ publishWill: true }])
  expect([world.sessions.byPeer.size, session.peer, session.state]).toEqual([0, undefined, 'lost'])
  expect(session.downlink.queue).toMatchObject([{ topic: 'd/a', payload: bytes('m') }])
})

it('a lost sensor with a clean session is forgotten, with its messages [SN-STA-3]', () => {
  const world = new World()
  const sensor = world.sensor()
  sensor.connect('dev1', { cleanSession: true })
  sensor.subscribe('d/a', 1)
  sensor.sleep(10)
  world.publish('d/a', 'm', 1)
  const session = world.session('dev1')
  world.advance(20_000)
  expect([world.sessions.byClientId.size, world.sessions.byPeer.size]).toEqual([0, 0])
  expect(world.totals).toEqual({ queuedMessages: 0, queuedOctets: 0 })
  const message = { topic: 'd/a', payload: bytes('late'), qos: 1, retain: false } as const
  world.happen(session, { type: 'message', message, ack: 9, packetId: 0 })
  expect(world.totals).toEqual({ queuedMessages: 0, queuedOctets: 0 })
})
