// Reading JSON, with comments, and with places.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readJson } from '../../src/config/reading/json.ts'
import { SyntaxProblem } from '../../src/config/reading/written.ts'

const placeOfError = (text: string) => {
  try {
    readJson(text)
  } catch (error) {
    if (error instanceof SyntaxProblem) return [error.place.line, error.place.column, error.found]
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

  it('rejects what JSON.parse rejects, but for commas before a closing bracket', () => {
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
        const text = parts.join('')
        const plain = text.replace(/(?<=[\]}a"1e]\s*),(?=\s*[\]}])/g, ' ')
        expect(accepts(readJson, text)).toBe(accepts(JSON.parse, plain))
      }),
      { numRuns: 2000 },
    )
  })

  it('names the place where it breaks', () => {
    expect(placeOfError('{\n  "a": 1,,\n}')).toEqual([2, 10, '","'])
    expect(placeOfError('{\r\n  "a": tru }')).toEqual([2, 8, '"t"'])
    expect(placeOfError('{ "a": 1')).toEqual([1, 9, 'the end of the file'])
    expect(placeOfError('')).toEqual([1, 1, 'the end of the file'])
    expect(placeOfError('{ "a": "x\n" }')).toEqual([1, 8, '"\\""'])
    expect(placeOfError('{} {}')).toEqual([1, 4, '"{"'])
  })

  it('says what would have been right there', () => {
    const expectedIn = (text: string) => {
      try {
        readJson(text)
      } catch (error) {
        if (error instanceof SyntaxProblem) return error.expected
      }
      return undefined
    }
    expect(
      ['{ a: 1 }', '{ "a" 1 }', '{ "a": }', '{ "a": 1 "b": 2 }', '[1 2]', '[1]]', '["a\nb"]'].map(expectedIn),
    ).toEqual([
      'a key in double quotes',
      '":"',
      'a value',
      '"," or "}"',
      '"," or "]"',
      'nothing more',
      'a text that ends on its line',
    ])
    expect(['["\\q"]', '["\\u12"]', '["a\tb"]', '[ /* a'].map(expectedIn)).toEqual([
      'a text in which "\\" is written "\\\\"',
      'four hexadecimal digits behind "\\u"',
      'a text without control characters (a tab is "\\t")',
      'a comment that ends with "*/"',
    ])
    expect(expectedIn('{\n# no\n}')).toContain('comments begin with "//"')
    expect(expectedIn(`{ 'a': 1 }`)).toContain('in double quotes')
  })

  it('passes over comments, and commas before a closing bracket', () => {
    const text = '// first\n{ /* a */ "a": [1, // one\n 2,\n], "url": "a//b", }\n// last'
    const { value, placeOf } = readJson(text)
    expect(value).toEqual({ a: [1, 2], url: 'a//b' })
    expect(placeOf('a[1]')).toEqual({ line: 3, column: 2 })
    for (const wrong of ['[,]', '{,}', '[1,,]']) expect(() => readJson(wrong)).toThrow(SyntaxProblem)
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
