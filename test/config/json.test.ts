// Reading JSON with places.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonError, readJson } from '../../src/config/reading/json.ts'

const placeOfError = (text: string) => {
  try {
    readJson(text)
  } catch (error) {
    if (error instanceof JsonError) return [error.place.line, error.place.column, error.found]
    throw error
  }
  return undefined
}

describe('readJson', () => {
  it('reads all JSON, as JSON.parse does', () => {
    fc.assert(
      fc.property(
        fc.json({ maxDepth: 5, noUnicodeString: false }),
        fc.constantFrom(undefined, 2, '\t'),
        (json, indent) => {
          const value: unknown = JSON.parse(json)
          fc.pre(!json.includes('__proto__'))
          expect(readJson(JSON.stringify(value, null, indent)).value).toEqual(value)
        },
      ),
    )
  })

  it('rejects what JSON.parse rejects', () => {
    const almost = fc.array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '"',
        '"a"',
        '1',
        '-',
        '.5',
        '01',
        'true',
        'nul',
        ' ',
        '\n',
        '\\',
        '\u0001',
      ),
      { maxLength: 8 },
    )
    const accepts = (read: (text: string) => unknown, text: string) => {
      try {
        read(text)
        return true
      } catch {
        return false
      }
    }
    fc.assert(
      fc.property(almost, (parts) => {
        expect(accepts(readJson, parts.join(''))).toBe(accepts(JSON.parse, parts.join('')))
      }),
      { numRuns: 2000 },
    )
  })

  it('names the place where it breaks', () => {
    expect(placeOfError('{\n  "a": 1,\n}')).toEqual([3, 1, '"}"'])
    expect(placeOfError('{\r\n  "a": tru }')).toEqual([2, 8, '"t"'])
    expect(placeOfError('{ "a": 1')).toEqual([1, 9, 'the end of the file'])
    expect(placeOfError('')).toEqual([1, 1, 'the end of the file'])
    expect(placeOfError('{ "a": "x\n" }')).toEqual([1, 8, '"\\""'])
    expect(placeOfError('{} {}')).toEqual([1, 4, '"{"'])
    expect(() => readJson('{ // no\n}')).toThrow('JSON has no comments')
  })

  it('bounds depth, refuses __proto__, and skips a byte order mark', () => {
    expect(() => readJson('['.repeat(100_000))).toThrow('at most 32 levels')
    expect(() => readJson('{"__proto__": {}}')).toThrow('another key')
    expect(readJson('\uFEFF{"a":1}').value).toEqual({ a: 1 })
  })

  it('knows where keys and list elements stand, and which keys occur twice', () => {
    const { placeOf, repeated } = readJson('{ "a": [1,\n  { "b": 2, "b": 3 }] }')
    expect(placeOf('a')).toEqual({ line: 1, column: 3 })
    expect(placeOf('a[1]')).toEqual({ line: 2, column: 3 })
    expect(placeOf('a[1].b')).toEqual({ line: 2, column: 13 })
    expect(repeated).toEqual([['a', 1, 'b']])
  })
})
