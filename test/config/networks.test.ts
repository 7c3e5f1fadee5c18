// Matching of addresses and ClientIds, and templates.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { globToMatcher } from '../../src/config/sections/glob.ts'
import { matcher } from '../../src/config/sections/networks.ts'
import { escapeTemplate, expandTemplate } from '../../src/config/sections/template.ts'

describe('networks', () => {
  it('match addresses of their family, an IPv4 address in IPv6 notation as IPv4', () => {
    const inside = matcher(['10.1.0.0/16', 'fd00::/8', '192.0.2.7', '::1'])
    const yes = [
      '10.1.255.255',
      '::ffff:10.1.2.3',
      'fd12::1',
      'fd12::1%eth0',
      '192.0.2.7',
      '::1',
      '0:0:0:0:0:0:0:1',
    ]
    const no = ['10.2.0.0', '::ffff:10.2.0.0', 'fe80::1', '192.0.2.8', '::2', '', 'x', '10.1']
    for (const address of yes) expect(inside(address), address).toBe(true)
    for (const address of no) expect(inside(address), address).toBe(false)
  })

  it('match everything with a prefix of 0, and nothing when there are none', () => {
    expect(matcher(['0.0.0.0/0'])('203.0.113.9')).toBe(true)
    expect(matcher(['0.0.0.0/0'])('2001:db8::1')).toBe(false)
    expect(matcher(['::/0'])('2001:db8::1')).toBe(true)
    expect(matcher([])('127.0.0.1')).toBe(false)
  })

  it('may be written in IPv6 notation for IPv4 networks', () => {
    const inside = matcher(['::ffff:10.0.0.0/104'])
    expect([inside('10.9.9.9'), inside('::ffff:10.9.9.9'), inside('11.0.0.0')]).toEqual([true, true, false])
  })

  it('ignore host bits, as in 10.1.2.3/8', () => {
    expect(matcher(['10.1.2.3/8'])('10.200.0.1')).toBe(true)
  })
})

describe('patterns', () => {
  it.each([
    ['*', ['', 'a', 'ab'], []],
    ['abc', ['abc'], ['ab', 'abcd', 'ABC']],
    ['a*', ['a', 'ab', 'a*'], ['ba', '']],
    ['*a', ['a', 'ba', 'aa'], ['ab']],
    ['a?c', ['abc', 'a?c', 'aäc', 'a😀c'], ['ac', 'abbc']],
    ['a*b*c', ['abc', 'aXbYbZc', 'abbcc'], ['acb', 'ab']],
    ['*?', ['a', 'ab'], ['']],
    ['a.c[1]', ['a.c[1]'], ['abc[1]', 'a.c1']],
  ])('%s', (pattern, yes, no) => {
    const fits = globToMatcher(pattern)
    for (const clientId of yes) expect(fits(clientId), clientId).toBe(true)
    for (const clientId of no) expect(fits(clientId), clientId).toBe(false)
  })

  it('agree with a slow and obvious matcher on random patterns', () => {
    const obvious = (pattern: string, text: string): boolean => {
      if (pattern === '') return text === ''
      if (pattern[0] === '*')
        return obvious(pattern.slice(1), text) || (text !== '' && obvious(pattern, text.slice(1)))
      return (
        text !== '' &&
        (pattern[0] === '?' || pattern[0] === text[0]) &&
        obvious(pattern.slice(1), text.slice(1))
      )
    }
    const letters = (units: string[], maxLength: number) =>
      fc.array(fc.constantFrom(...units), { maxLength }).map((parts) => parts.join(''))
    fc.assert(
      fc.property(letters(['a', 'b', '*', '?'], 8), letters(['a', 'b'], 10), (pattern, text) => {
        expect(globToMatcher(pattern)(text)).toBe(obvious(pattern, text))
      }),
    )
  })

  it('stay fast on patterns that make backtracking matchers explode', () => {
    const fits = globToMatcher(`${'a*'.repeat(127)}b`)
    const start = process.cpuUsage()
    expect(fits('a'.repeat(1024))).toBe(false)
    expect(process.cpuUsage(start).user).toBeLessThan(1_000_000)
  })
})

describe('templates', () => {
  it('fill in variables once, so that a ClientId cannot smuggle in another', () => {
    const template = `\${clientId}/\${gatewayId}/\${other}`
    expect(expandTemplate(template, { clientId: `\${gatewayId}`, gatewayId: 3 })).toBe(
      `\${gatewayId}/3/\${other}`,
    )
    expect(expandTemplate(`\${clientId}-\${gatewayId}`, { gatewayId: 3 })).toBe(`\${clientId}-3`)
    expect(expandTemplate('$& $1 $$', { clientId: 'x' })).toBe('$& $1 $$')
    expect(expandTemplate(`\${clientId}`, { clientId: '$&$1' })).toBe('$&$1')
  })

  it('give back escaped text as it was, between whatever stands around it', () => {
    const texts = fc.array(fc.constantFrom('$', '{', '}', 'clientId', 'x')).map((parts) => parts.join(''))
    fc.assert(
      fc.property(
        texts,
        (text) => expandTemplate(`{${escapeTemplate(text)}\${clientId}`, { clientId: 'x' }) === `{${text}x`,
      ),
    )
  })
})
