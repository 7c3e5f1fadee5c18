// Topic names and filters.

import { describe, expect, it } from 'vitest'
import { isTopicFilter, isTopicName, matches } from '../../src/upstream/topics.ts'

const NUL = String.fromCharCode(0)

describe('topics', () => {
  it('knows names that MQTT can carry', () => {
    for (const name of ['a', '/', 'a/b', ' ', '$SYS/x', 'ä/ö', 'a'.repeat(65_535)]) {
      expect(isTopicName(name), name.slice(0, 20)).toBe(true)
    }
    for (const name of ['', 'a/+', 'a#', `a${NUL}`, 'a'.repeat(65_536), 'ä'.repeat(32_768)]) {
      expect(isTopicName(name), name.slice(0, 20)).toBe(false)
    }
  })

  it('knows filters that MQTT can carry', () => {
    for (const filter of ['a', '#', '+', 'a/#', '+/+', 'a/+/b', '/', '+/#']) {
      expect(isTopicFilter(filter), filter).toBe(true)
    }
    for (const filter of ['', 'a#', '#/a', 'a/#/b', 'a+', '+a/b', `+/${NUL}`]) {
      expect(isTopicFilter(filter), filter).toBe(false)
    }
  })

  it.each([
    ['a/b', 'a/b', true],
    ['a/b', 'a/c', false],
    ['a/+', 'a/b', true],
    ['a/+', 'a/b/c', false],
    ['a/+', 'a', false],
    ['+', 'a', true],
    ['+', '/a', false],
    ['+/+', '/a', true],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['a/#', 'ab', false],
    ['#', 'a/b', true],
    ['#', '$SYS/a', false],
    ['+/a', '$SYS/a', false],
    ['$SYS/#', '$SYS/a', true],
  ])('%s matches %s: %s', (filter, topic, expected) => {
    expect(matches(filter, topic)).toBe(expected)
  })
})
