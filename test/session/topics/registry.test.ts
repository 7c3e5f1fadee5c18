// Topic ids and short names: what may be assigned, and what two octets spell [5.3.11, 6.7].

import { describe, expect, it } from 'vitest'
import { assignTopic, createTopics } from '../../../src/session/topics/registry.ts'
import { shortId, shortName } from '../../../src/session/topics/topic-names.ts'
import { predefinedOf, World } from '../../support/world.ts'

const none = predefinedOf({})
const LIMIT = 100_000

describe('topic ids', () => {
  it.each([1, 40_000, 65_534])('are distinct and never 0x0000 or 0xFFFF, from %i on [SN-FLD-2]', (first) => {
    const topics = createTopics(first)
    const ids = new Set<number | undefined>()
    for (let i = 0; i < 65_534; i++) ids.add(assignTopic(topics, `t/${i}`, LIMIT, none))
    expect(ids.size).toBe(65_534)
    for (const impossible of [0, 0xffff, undefined]) expect(ids).not.toContain(impossible)
    expect(assignTopic(topics, 'one/more', LIMIT, none)).toBeUndefined()
    expect(assignTopic(topics, 't/0', LIMIT, none)).toBe(first)
  })

  it('run out at the limit: REGISTER is refused with congestion and id 0 [SN-FLD-2, SN-REG-6, SN-ROB-1]', () => {
    const world = new World({ limits: { topicsPerSensor: 2 } })
    const sensor = world.sensor()
    sensor.connect('dev1')
    expect([sensor.register('a'), sensor.register('b'), sensor.register('a')]).toEqual([1, 2, 1])
    expect(sensor.send({ type: 'register', topicId: 0, msgId: 9, topicName: 'c' })).toEqual([
      { type: 'regack', topicId: 0, msgId: 9, returnCode: 1 },
    ])
  })

  it('begin anywhere, by chance, but never at a reserved one, nor at one that some clients read as negative [SN-FLD-2, SN-SESS-10]', () => {
    for (const random of [0, 0.5, 0.999999999]) {
      const world = new World({ random: () => random })
      const sensor = world.sensor()
      sensor.connect('dev1')
      const id = sensor.register('a')
      expect(id).toBe(1 + Math.floor(random * 0x7ffd))
      expect(id).toBeLessThan(0x7fff)
    }
  })

  it('pass over the predefined ones [SN-REG-5]', () => {
    const topics = createTopics(1)
    const predefined = predefinedOf({ 1: 'p/1', 3: 'p/3' })
    expect(['a', 'b', 'c'].map((name) => assignTopic(topics, name, LIMIT, predefined))).toEqual([2, 4, 5])
  })
})

describe('short names', () => {
  it('are two octets of UTF-8, and back again [SN-PUB-8]', () => {
    expect([shortName(0x6162), shortId('ab')]).toEqual(['ab', 0x6162])
    expect([shortName(0xc3a4), shortId('ä')]).toEqual(['ä', 0xc3a4])
    for (const other of ['a', 'abc', 'aä', 'ää', '€', '']) expect(shortId(other)).toBeUndefined()
  })

  it('are nothing when the octets are not UTF-8 [SN-FLD-3]', () => {
    for (const octets of [0xc328, 0x61c3, 0x80_80, 0xc0_80, 0xffff, 0xe282])
      expect(shortName(octets)).toBeUndefined()
  })

  it('agree with the platform about all 65,536 pairs of octets [SN-FLD-3]', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    for (let octets = 0; octets <= 0xffff; octets++) {
      let text: string | undefined
      try {
        text = decoder.decode(Uint8Array.of(octets >> 8, octets & 0xff))
      } catch {
        text = undefined
      }
      if (shortName(octets) !== text) expect([octets, shortName(octets)]).toEqual([octets, text])
      if (text !== undefined) expect(shortId(text)).toBe(octets)
    }
  })
})
