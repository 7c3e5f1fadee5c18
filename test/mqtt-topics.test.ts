// Topic names, filters and ClientIds: what MQTT can carry, and what matches [MQTT 4.7].

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  covers,
  isClientId,
  isTopicFilter,
  isTopicName,
  matches,
  octets,
  overlaps,
  sharedFilter,
} from '../src/mqtt-topics.ts'

describe('names', () => {
  it.each(['', 'a\0b', '\ud800', 'x'.repeat(65_536), 'ä'.repeat(32_768)])(
    'that MQTT cannot carry are no topic names and no filters [SN-FLD-3]: case %#',
    (name) => {
      expect([isTopicName(name), isTopicFilter(name)]).toEqual([false, false])
    },
  )

  it.each(['', 'a\0b', '\ud800'])('that MQTT cannot carry are no ClientIds [SN-FLD-3]: case %#', (name) => {
    expect(isClientId(name)).toBe(false)
  })

  it('with characters at which brokers hang up are neither names nor filters nor ClientIds [SN-FLD-3]', () => {
    const planes = Array.from({ length: 17 }, (_, plane) => plane * 0x10000)
    const isForbidden = (code: number) =>
      code < 0x20 ||
      (code > 0x7e && code < 0xa0) ||
      (code > 0xfdcf && code < 0xfdf0) ||
      (code & 0xfffe) === 0xfffe ||
      (code > 0xd7ff && code < 0xe000)
    const edges = [...Array(0x200).keys(), 0xfdcf, 0xfdd0, 0xfdef, 0xfdf0, 0xd7ff, 0xd800, 0xdfff, 0xe000]
    for (const code of [
      ...edges,
      ...planes.flatMap((plane) => [plane + 0xfffd, plane + 0xfffe, plane + 0xffff]),
    ]) {
      if (code === 0x23 || code === 0x2b) continue // wildcards
      const text = `a${String.fromCodePoint(code)}b`
      const legal = !isForbidden(code)
      expect([code, isTopicName(text), isTopicFilter(text), isClientId(text)]).toEqual([
        code,
        legal,
        legal,
        legal,
      ])
    }
  })

  it('have 200 levels at most, with wildcards or without', () => {
    const levels = (count: number, last: string) => [...Array(count - 1).fill('a'), last].join('/')
    expect([isTopicName(levels(200, 'a')), isTopicFilter(levels(200, '#'))]).toEqual([true, true])
    expect([isTopicName(levels(201, 'a')), isTopicFilter(levels(201, '#'))]).toEqual([false, false])
    expect(isTopicName('/'.repeat(200))).toBe(false)
  })

  it.each(['a', '/', 'a//b', ' ', '$SYS/x', 'ä/β/😀', 'x'.repeat(65_535)])('can be "%s"', (name) => {
    expect([isTopicName(name), isTopicFilter(name)]).toEqual([true, true])
  })

  it.each(['+', '#', '/#', '+/+', 'a/+/b/#', '+/#'])('are not filters with wildcards: %s', (filter) => {
    expect([isTopicName(filter), isTopicFilter(filter)]).toEqual([false, true])
  })

  it.each(['a#', '#/a', 'a/#/b', 'a+', '+a', 'a/b+/c', '##', '++'])(
    'nor filters: %s [SN-SUB-10]',
    (filter) => {
      expect([isTopicName(filter), isTopicFilter(filter)]).toEqual([false, false])
    },
  )
})

describe('shared subscriptions', () => {
  it.each([
    ['$share/g/t/x', 't/x'],
    ['$share/g/+', '+'],
    ['$share/g/a/#', 'a/#'],
    ['$share/g//', '/'],
    ['$shared/g/t', '$shared/g/t'],
    ['t/x', 't/x'],
  ])('%s shares %s', (filter, shared) => {
    expect([isTopicFilter(filter), sharedFilter(filter)]).toEqual([true, shared])
  })

  it.each([
    '$share', '$share/', '$share/g', '$share/g/', '$share//t', '$share/+/t', '$share/#/t', '$share/a+/t', '$share/g/a#', '$share/g/#/a',
  ])('are malformed like %s [SN-SUB-10]', (filter) => {
    expect(isTopicFilter(filter)).toBe(false)
  }) // biome-ignore format: one line reads better
})

describe('filters', () => {
  it.each([
    ['a/b', 'a/b', true],
    ['a/b', 'a/b/c', false],
    ['a/b', 'a', false],
    ['a/+', 'a/b', true],
    ['a/+', 'a', false],
    ['a/+', 'a/', true],
    ['a/+', 'a/b/c', false],
    ['+', 'a', true],
    ['+', '/a', false],
    ['+/+', '/a', true],
    ['#', 'a/b/c', true],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['a/#', 'b', false],
    ['#', '$SYS/x', false],
    ['+/x', '$SYS/x', false],
    ['$SYS/#', '$SYS/x', true],
  ])('%s and %s: %s, as MQTT has it', (filter, name, expected) => {
    expect(matches(filter, name)).toBe(expected)
  })
})

describe('octets of a text', () => {
  it('are those of its UTF-8, lone surrogates included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(octets(text)).toBe(Buffer.byteLength(text))
      }),
    )
    for (const text of ['\ud800', '\udc00', '\ud800x', '\ud800\ud800\udc00']) {
      expect(octets(text)).toBe(Buffer.byteLength(text))
    }
  })
})

describe('one filter beside another', () => {
  const level = fc.constantFrom('a', 'b', '$x', '')
  const names = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
  const filters = fc
    .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 3 }), fc.constantFrom('a', '+', '#', ''))
    .map(([levels, last]) => [...levels, last].join('/'))
    .filter(isTopicFilter)

  it('covers it only if it matches all that the other matches', () => {
    fc.assert(
      fc.property(filters, filters, names, (outer, inner, name) => {
        if (covers(outer, inner) && matches(inner, name)) expect(matches(outer, name)).toBe(true)
      }),
      { numRuns: 3000 },
    )
  })

  it('overlaps it if there is a name that both match', () => {
    fc.assert(
      fc.property(filters, filters, names, (one, other, name) => {
        if (matches(one, name) && matches(other, name)) expect(overlaps(one, other)).toBe(true)
        expect(overlaps(one, other)).toBe(overlaps(other, one))
      }),
      { numRuns: 3000 },
    )
  })

  it.each([
    ['#', 'a/b', true],
    ['#', '$SYS/#', false],
    ['+', '$SYS', false],
    ['a/#', 'a', true],
    ['a/#', 'a/+/b', true],
    ['a/+', 'a/#', false],
    ['a/+', 'a/b', true],
    ['a/b', 'a/+', false],
    ['+/b', '+/b', true],
    ['a/+/c', 'a/b', false],
    ['$SYS/#', '$SYS/x', true],
  ])('%s covers %s: %s', (outer, inner, expected) => {
    expect(covers(outer, inner)).toBe(expected)
  })

  it.each([
    ['a/+', '+/b', true],
    ['a/#', 'a', true],
    ['a/b', 'a/c', false],
    ['#', '$SYS/x', false],
    ['+/x', 'a/#', true],
    ['a', 'a/b', false],
    ['a/+/c', 'a/b', false],
  ])('%s overlaps %s: %s', (one, other, expected) => {
    expect(overlaps(one, other)).toBe(expected)
  })
})
