// Whether a sensor may be here is asked elsewhere: until the answer nothing changes, and then it is as if it came just now.

import { describe, expect, it } from 'vitest'
import type { AdmissionAnswer } from '../../../src/sessions/connect/admission.ts'
import { World, type WorldOptions } from '../../support/world.ts'

type Question = Omit<AdmissionAnswer, 'answer'> & { readonly clientId: string }

const asking = (options: WorldOptions = {}) => new World({ asksAdmission: true, ...options })
const questionsOf = (world: World): Question[] =>
  world.effects.flatMap((effect) => (effect.type === 'admit' ? [effect] : []))
const lastOf = (world: World): Question => {
  const last = questionsOf(world).at(-1)
  if (last === undefined) throw new Error('nobody was asked')
  return last
}
const answer = (world: World, verdict: AdmissionAnswer['answer'], question = lastOf(world)): void =>
  world.answerAdmission({ ...question, answer: verdict })

describe('a CONNECT that waits for an admission', () => {
  it('is answered when the answer is there, and nothing of it is seen before', () => {
    const world = asking()
    const sensor = world.sensor()
    expect(sensor.connect('dev1')).toEqual([])
    expect([world.sessions.byClientId.size, world.sessions.byPeer.size]).toEqual([0, 0])
    answer(world, { verdict: 'allow' })
    expect(sensor.take()).toEqual([{ type: 'connack', returnCode: 0 }])
    expect(world.sessions.admitting.size).toBe(0)
  })

  it.each([
    ['deny', 3, 'not-admitted'],
    ['later', 1, 'admission-unavailable'],
  ] as const)(
    'is refused at "%s" with code %i, with what the service said',
    (verdict, returnCode, reason) => {
      const world = asking()
      const sensor = world.sensor()
      sensor.connect('dev1')
      answer(world, { verdict, detail: 'so it is' })
      expect(sensor.take()).toEqual([{ type: 'connack', returnCode }])
      const refusals = world.effects.flatMap((effect) => (effect.type === 'refused' ? [effect.refusal] : []))
      expect(refusals).toMatchObject([{ reason, clientId: 'dev1', returnCode, detail: 'so it is' }])
      expect(world.sessions.byClientId.size).toBe(0)
    },
  )

  it('does not disturb the sensor that has the ClientId, until it is allowed', () => {
    const world = asking()
    const [holder, stranger] = [world.sensor('10.0.0.1'), world.sensor('10.0.0.2')]
    holder.connect('dev1')
    answer(world, { verdict: 'allow' })
    holder.take()
    world.advance(2000)
    stranger.connect('dev1')
    expect(holder.send({ type: 'pingreq', clientId: null })).toEqual([{ type: 'pingresp' }])
    answer(world, { verdict: 'deny' })
    expect(world.session('dev1').peer).toBe(holder.peer)
    expect(holder.take()).toEqual([])
    stranger.connect('dev1')
    answer(world, { verdict: 'allow' })
    expect(holder.take()).toEqual([{ type: 'disconnect', duration: null }])
  })

  it('that is repeated is asked about once, and one for another ClientId takes its place', () => {
    const world = asking()
    const sensor = world.sensor()
    for (let i = 0; i < 3; i++) sensor.connect('dev1')
    expect(questionsOf(world)).toHaveLength(1)
    const first = lastOf(world)
    sensor.connect('dev2')
    answer(world, { verdict: 'allow' }, first)
    expect(sensor.take()).toEqual([])
    answer(world, { verdict: 'allow' })
    expect([...world.sessions.byClientId.keys()]).toEqual(['dev2'])
  })

  it('gets the rule that the answer names, and the one that fits if the next answer names none', () => {
    const rules: (string | undefined)[] = []
    const world = asking()
    const sensor = world.sensor()
    for (const rule of ['special-*', undefined]) {
      sensor.connect('dev1', { cleanSession: false, duration: rule === undefined ? 61 : 60 })
      answer(world, { verdict: 'allow', rule })
      rules.push(world.session('dev1').rule)
    }
    expect(rules).toEqual(['special-*', undefined])
  })

  it('keeps the rule that was named over a crash', () => {
    const world = asking()
    const sensor = world.sensor()
    sensor.connect('dev1', { cleanSession: false })
    answer(world, { verdict: 'allow', rule: 'special-*' })
    world.advance(1000)
    world.restart()
    expect(world.session('dev1').rule).toBe('special-*')
  })

  it('is one of a bounded number', () => {
    const world = asking({ limits: { connectsPerAddress: 1_000_000 } })
    for (let i = 0; i < 10_001; i++) world.receive(connect(`dev${i}`), world.sensor('10.0.0.1', 1 + i).peer)
    expect(world.sessions.admitting.size).toBe(10_000)
    const last = world.effects.at(-1)
    expect(last).toMatchObject({ type: 'drop', reason: 'overloaded', refusal: { clientId: 'dev10000' } })
  })

  it('is not even asked about when it is impossible or above the rate', () => {
    const world = asking({ limits: { connectsPerAddress: 2 } })
    for (const clientId of ['', 'a', 'b']) world.sensor('10.0.0.1', 5000 + clientId.length).connect(clientId)
    expect(questionsOf(world).map(({ clientId }) => clientId)).toEqual(['a'])
  })
})

const connect = (clientId: string) =>
  ({ type: 'connect', will: false, cleanSession: true, protocolId: 1, duration: 60, clientId }) as const
