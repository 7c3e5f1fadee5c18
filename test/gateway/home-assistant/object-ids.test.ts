// Ids for Home Assistant of whatever a sensor calls itself.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { objectIdOf } from '../../../src/gateway/home-assistant/object-ids.ts'
import { topicLevelOf } from '../../../src/gateway/status-topics/topics.ts'
import { isTopicName } from '../../../src/mqtt-topics.ts'

it('an id holds only what Home Assistant allows, and reads as the ClientId where that does too', () => {
  expect(objectIdOf('meter-7')).toBe('meter-7')
  expect(objectIdOf('meter_7')).toBe('meter__7')
  expect(objectIdOf('a/b +#ä')).toBe('a_2fb_20_2b_23_c3_a4')
})

it('a level of a topic is the ClientId itself, unless that is impossible', () => {
  for (const plain of ['meter-7', 'a b', 'ä', 'a%2Fb']) expect(topicLevelOf(plain)).toBe(plain)
  expect(topicLevelOf('a/b')).toBe('%a%2Fb')
  expect(topicLevelOf('+/#')).toBe('%%2B%2F%23')
  expect(topicLevelOf('%a%2Fb')).toBe('%%25a%252Fb')
})

it('two ClientIds never share an id or a level of a topic, whatever they are', () => {
  const odd = fc.string({ unit: fc.constantFrom(...'a_%2f/+#-0 ä😀\u0001'), minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(fc.oneof(odd, fc.string({ unit: 'grapheme', minLength: 1 })), odd, (one, other) => {
      expect(objectIdOf(one)).toMatch(/^[A-Za-z0-9_-]+$/)
      expect(isTopicName(topicLevelOf(one)) && !topicLevelOf(one).includes('/')).toBe(true)
      if (one === other) return
      expect(objectIdOf(one)).not.toBe(objectIdOf(other))
      expect(topicLevelOf(one)).not.toBe(topicLevelOf(other))
    }),
  )
})
