// What can happen to a gateway, at random: sensible and hostile messages from several sensors, a broker with moods, time.

import fc from 'fast-check'
import type { Packet } from '../../src/codec/v1/messages.ts'
import { answerTo } from './patient.ts'
import { bytes, type VirtualSensor, type World } from './world.ts'

/** One thing that happens; `who` is the index of a sensor. Then `wait` milliseconds pass. */
export type Step = { wait: number } & (
  | { kind: 'say'; who: number; packet: Packet }
  /** CONNECT as itself */
  | { kind: 'connect'; who: number; will: boolean; cleanSession: boolean }
  /** answers everything that the sensor got, with this return code */
  | { kind: 'answer'; who: number; code: number }
  | { kind: 'message'; topic: string; payload: string; qos: 0 | 1 | 2; retain: boolean; life: number }
  | { kind: 'broker'; mood: 'well' | 'silent' | 'away' | 'slow' | 'refuses' | 'forbids' | 'weak' }
  | { kind: 'congestion'; who: number; on: boolean }
  /** the gateway is killed, and starts again after `pause` milliseconds; its store is that slow from then on */
  | { kind: 'restart'; pause: number; lag: number }
  | { kind: 'time' }
)

const clientId = fc.constantFrom('a', 'b', 'c', 'd', 'a', 'b', 'c', '', 'much-too-long-for-a-name', 'nul\0')
const topic = fc.constantFrom(
  's/a',
  's/b',
  'ab',
  'é',
  'pre/seven',
  't/1',
  't/2',
  't/3',
  `s/${'x'.repeat(60)}`,
)
const anyName = fc.oneof(topic, fc.constantFrom('s/+', '#', '+/', 'a#', '', '\0', 'u/1', 'u/2', 'u/3'))
const topicId = fc.constantFrom(1, 1, 1, 1, 2, 2, 3, 7, 0, 8, 0x6162, 0x612b, 0xffff)
const msgId = fc.constantFrom(0, 1, 2, 3, 4, 0xffff)
const topicIdType = fc.constantFrom('normal', 'normal', 'normal', 'normal', 'predefined', 'short', 'reserved')
const otherIdType = fc.constantFrom('predefined', 'short', 'reserved')
const duration = fc.constantFrom(600, 600, 65_535, 65_535, 60, 10, 1, 0)
const returnCode = fc.constantFrom(0, 0, 0, 1, 2, 3, 0x80)
const qos = fc.constantFrom(0, 1, 2)
const anyQos = fc.constantFrom(-1, 0, 1, 1, 2, 2)
const payload = fc.constantFrom('', 'x', 'y', 'z'.repeat(20), 'z'.repeat(53), 'z'.repeat(54), 'z'.repeat(300))
const flag = fc.boolean()

const message = <T extends Packet['type']>(type: T, fields: object): fc.Arbitrary<Packet> =>
  fc.record({ type: fc.constant(type), ...fields }) as unknown as fc.Arbitrary<Packet>

const named = { topicIdType: fc.constant('normal'), topicName: anyName }
const numbered = { topicIdType: otherIdType, topicId }
const connect = message('connect', {
  will: fc.constantFrom(false, false, true),
  cleanSession: flag,
  protocolId: fc.constantFrom(1, 1, 1, 1, 1, 2),
  duration,
  clientId,
})

const packet: fc.Arbitrary<Packet> = fc.oneof(
  { weight: 2, arbitrary: connect },
  message('willtopic', { qos: anyQos, retain: flag, willTopic: fc.option(anyName) }),
  message('willmsg', { willMsg: payload.map(bytes) }),
  { weight: 2, arbitrary: message('register', { topicId, msgId, topicName: anyName }) },
  message('regack', { topicId, msgId, returnCode }),
  {
    weight: 10,
    arbitrary: message('publish', {
      dup: flag,
      qos: anyQos,
      retain: flag,
      topicIdType,
      topicId,
      msgId,
      data: payload.map(bytes),
    }),
  },
  message('puback', { topicId, msgId, returnCode }),
  message('pubrec', { msgId }),
  { weight: 2, arbitrary: message('pubrel', { msgId }) },
  message('pubcomp', { msgId }),
  { weight: 4, arbitrary: message('subscribe', { dup: flag, qos: anyQos, msgId, ...named }) },
  message('subscribe', { dup: flag, qos: anyQos, msgId, ...numbered }),
  message('unsubscribe', { msgId, ...named }),
  message('unsubscribe', { msgId, ...numbered }),
  { weight: 8, arbitrary: message('pingreq', { clientId: fc.option(clientId) }) },
  message('pingresp', {}),
  { weight: 5, arbitrary: message('disconnect', { duration }) },
  message('disconnect', { duration: fc.constant(null) }),
  message('willtopicupd', { qos: anyQos, retain: flag, willTopic: fc.option(anyName) }),
  message('willmsgupd', { willMsg: payload.map(bytes) }),
  message('searchgw', { radius: fc.constant(0) }),
  message('advertise', { gwId: fc.constant(1), duration }),
  message('gwinfo', { gwId: fc.constant(1), gwAdd: fc.constant(new Uint8Array()) }),
  message('connack', { returnCode }),
  message('willtopicreq', {}),
  message('willmsgreq', {}),
  message('suback', { qos, topicId, msgId, returnCode }),
  message('unsuback', { msgId }),
  message('willtopicresp', { returnCode }),
  message('willmsgresp', { returnCode }),
)

const mood = fc.constantFrom('well', 'well', 'well', 'silent', 'away', 'slow', 'refuses', 'forbids', 'weak')
const moment = fc.constantFrom<number[]>(0, 2, 2, 2, 2, 100)
const long: typeof moment = fc.constantFrom(
  4_000,
  4_000,
  10_000,
  10_000,
  10_000,
  10_000,
  61_000,
  400_000,
  3_600_000,
)
const step = (kind: Step['kind'], fields: object, wait = moment): fc.Arbitrary<Step> =>
  fc.record({ kind: fc.constant(kind), wait, ...fields }) as unknown as fc.Arbitrary<Step>

/** The first three sensors connect as a, b and c, and subscribe. */
export function settleDown(sensors: readonly VirtualSensor[]): void {
  for (const [i, sensor] of sensors.slice(0, 3).entries()) {
    sensor.connect('abc'[i] ?? '', { cleanSession: i === 1, duration: [600, 0, 65_535][i] ?? 60 })
    sensor.subscribe('s/+', 2)
    sensor.subscribe('ab', 2)
  }
}

/** Random steps for so many sensors. */
export const anyStep = (sensors: number): fc.Arbitrary<Step> => {
  const who = fc.nat(sensors - 1)
  return fc.oneof(
    { weight: 10, arbitrary: step('say', { who, packet }) },
    { weight: 1, arbitrary: step('connect', { who, will: flag, cleanSession: flag }) },
    { weight: 6, arbitrary: step('answer', { who, code: returnCode }) },
    {
      weight: 6,
      arbitrary: step('message', { topic, payload, qos, retain: flag, life: fc.option(fc.nat(100_000)) }),
    },
    { weight: 1, arbitrary: step('broker', { mood }) },
    { weight: 1, arbitrary: step('congestion', { who, on: flag }) },
    { weight: 3, arbitrary: step('time', {}, long) },
    { weight: 2, arbitrary: step('restart', { pause: fc.constantFrom(0, 0, 500, 100_000), lag: fc.nat(3) }) },
  )
}

/** Lets it happen. */
export function take(step: Step, world: World, sensors: readonly VirtualSensor[]): void {
  begin(step, world, sensors)
  world.advance(step.wait)
}

function begin(step: Step, world: World, sensors: readonly VirtualSensor[]): void {
  switch (step.kind) {
    case 'say': {
      const sensor = sensors[step.who]
      if (sensor !== undefined) world.receive(step.packet, sensor.peer)
      return
    }
    case 'connect': {
      const { will, cleanSession, who } = step
      const clientId = 'abcd'[who] ?? ''
      const sensor = sensors[who]
      if (sensor === undefined) return
      return world.receive(
        { type: 'connect', will, cleanSession, protocolId: 1, duration: 600, clientId },
        sensor.peer,
      )
    }
    case 'answer': {
      const sensor = sensors[step.who]
      for (const heard of sensor?.take() ?? []) {
        const answer = answerTo(heard, step.code)
        if (answer !== undefined && sensor !== undefined) world.receive(answer, sensor.peer)
      }
      return
    }
    case 'message': {
      const expiresAt = step.life === null ? undefined : world.now + step.life
      const { topic, payload, qos, retain } = step
      return world.publish(topic, payload, qos, expiresAt === undefined ? { retain } : { retain, expiresAt })
    }
    case 'broker':
      return setMood(world, step.mood)
    case 'congestion': {
      const session = world.sessions.byPeer.get(sensors[step.who]?.peer.key ?? '')
      if (session?.link.state === 'up') world.happen(session, { type: 'congestion', on: step.on })
      return
    }
    case 'restart':
      world.restart(step.pause)
      world.store.lag = step.lag
      return
    case 'time':
  }
}

function setMood(world: World, mood: (Step & { kind: 'broker' })['mood']): void {
  const { broker } = world
  broker.answers = mood !== 'silent'
  broker.latency = mood === 'slow' ? 9_000 : 1
  broker.refuses = mood === 'refuses' ? 1 : mood === 'forbids' ? 3 : undefined
  broker.publishOutcome = mood === 'refuses' ? 1 : mood === 'forbids' ? 3 : 0
  broker.subscribeOutcome = broker.publishOutcome
  broker.grantedQos = mood === 'weak' ? 1 : 2
  if (mood === 'away') broker.crash()
  else broker.reachable = true
}
