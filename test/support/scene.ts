// One sensor in each state that a session can have, and what a step does to it in the words of a table cell.

import { expect } from 'vitest'
import type { PacketType } from '../../src/codec/v1/messages.ts'
import type { Effect } from '../../src/session/events.ts'
import type { State } from '../../src/session/states.ts'
import { type VirtualSensor, World } from './world.ts'

/** A world and dev1 in it. */
export interface Scene {
  world: World
  sensor: VirtualSensor
}

/** An active sensor with a will, topic id 1 and a subscription. */
function active({ sensor }: Scene): void {
  sensor.connectWithWill('dev1', { topic: 'lwt/1', message: 'gone' }, { cleanSession: false })
  sensor.register('t/temp')
  sensor.subscribe('d/a', 1)
}

/** How each state is reached. `unknown` is a sensor that the gateway never heard of. */
const ways: Record<State | 'unknown', (scene: Scene) => void> = {
  unknown: () => {},
  disconnected: (scene) => {
    active(scene)
    scene.sensor.send({ type: 'disconnect', duration: null })
  },
  willtopic: ({ sensor }) => void sensor.connect('dev1', { cleanSession: false, will: true }),
  willmsg: (scene) => {
    ways.willtopic(scene)
    scene.sensor.send({ type: 'willtopic', qos: 0, retain: false, willTopic: 'lwt/1' })
  },
  connecting: ({ world, sensor }) => {
    world.broker.answers = false
    sensor.connect('dev1', { cleanSession: false })
  },
  active,
  // with a message in the queue
  asleep: (scene) => {
    active(scene)
    scene.sensor.sleep(300)
    scene.world.publish('d/a', 'm', 1)
  },
  // with that message sent, and not acknowledged
  awake: (scene) => {
    ways.asleep(scene)
    scene.sensor.wake('dev1')
  },
  lost: (scene) => {
    active(scene)
    scene.world.advance(100_000)
  },
}

/** The columns of the tables. */
const letters: Record<State | 'unknown', string> = {
  unknown: '?',
  disconnected: 'D',
  willtopic: 'W1',
  willmsg: 'W2',
  connecting: 'U',
  active: 'A',
  asleep: 'S',
  awake: 'K',
  lost: 'L',
}
export const states = Object.keys(letters) as (State | 'unknown')[]
export const letterOf = ({ world }: Scene) =>
  letters[world.sessions.byClientId.get('dev1')?.state ?? 'disconnected']

export function inState(state: State | 'unknown'): Scene {
  const world = new World()
  const scene = { world, sensor: world.sensor() }
  ways[state](scene)
  expect(world.sessions.byClientId.get('dev1')?.state).toBe(state === 'unknown' ? undefined : state)
  return scene
}

const short: Partial<Record<PacketType, string>> = {
  willtopicreq: 'WTREQ',
  willmsgreq: 'WMREQ',
  willtopicresp: 'WTRESP',
  willmsgresp: 'WMRESP',
  disconnect: 'DISC',
}

/** An effect in one word; '' for those that only keep the books. */
function word(effect: Effect): string {
  switch (effect.type) {
    case 'send': {
      const { packet } = effect
      const code = 'returnCode' in packet && packet.returnCode > 0 ? `:${packet.returnCode}` : ''
      return (short[packet.type] ?? packet.type.toUpperCase()) + code
    }
    case 'close':
      return effect.publishWill ? 'will!' : 'close'
    case 'publishAnonymous':
      return 'anonymous'
    case 'keepMessage':
      return 'keep'
    case 'connect':
    case 'publish':
    case 'subscribe':
    case 'unsubscribe':
    case 'gwinfo':
      return effect.type
    default:
      return ''
  }
}

/**
 * What a step does, in one cell: messages to the sensor in capitals, what goes to the broker in small letters, the new
 * state. `.` is a message dropped and counted, `ok` one that was taken without a word.
 */
export function cellOf(scene: Scene, step: (scene: Scene) => void): string {
  const { effects } = scene.world
  const before = letterOf(scene)
  const start = effects.length
  step(scene)
  const after = letterOf(scene)
  const done = effects.slice(start)
  const changes = done.flatMap((effect) => (effect.type === 'changed' ? [letters[effect.to]] : []))
  expect(changes.at(-1) ?? before).toBe(after) // no change without a line in the log
  const words = done.map(word).filter((text) => text !== '')
  if (words.length === 0) words.push(done.some(({ type }) => type === 'drop') ? '.' : 'ok')
  return [...words, ...(after === before ? [] : [`→${after}`])].join(' ')
}

/** Rows of a table: the name, and one cell for each column. */
export function rowsOf(table: string): [string, string[]][] {
  const lines = table.trim().split('\n')
  return lines.map((line) => {
    const [name = '', ...cells] = line.split('|').map((cell) => cell.trim())
    return [name, cells]
  })
}

/** All cells of a table: column, row, expectation. */
export const cellsOf = <T>(table: [string, string[]][], names: readonly T[]): [T, string, string][] =>
  table.flatMap(([row, cells]) =>
    names.map((name, i): [T, string, string] => [name, row, cells[i] ?? 'missing']),
  )
