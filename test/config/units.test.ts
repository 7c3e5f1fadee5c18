// Durations and sizes, and the search for the nearest word.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { editDistance, nearest } from '../../src/config/reading/nearest.ts'
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/config/sections/units.ts'

describe('units', () => {
  it('read durations', () => {
    const texts = ['500ms', '10s', '20m', '2h', '7d', '1.5s', '10']
    expect(texts.map(parseDuration)).toEqual([500, 10_000, 1_200_000, 7_200_000, 604_800_000, 1500, 10_000])
    expect([parseDuration(0.1), parseDuration(3)]).toEqual([100, 3000])
    for (const wrong of ['', 's', '-1s', '1 s', '1S', '1w', '1e3s', 'never'])
      expect(parseDuration(wrong)).toBeUndefined()
  })

  it('read sizes', () => {
    expect(['10', '10B', '64KiB', '4MiB', '1.5GiB'].map(parseSize)).toEqual([
      10, 10, 65_536, 4_194_304, 1_610_612_736,
    ])
    for (const wrong of ['', '4MB', '4mib', '-1', 'KiB']) expect(parseSize(wrong)).toBeUndefined()
  })

  it('are written so that they read back the same', () => {
    const amount = fc.nat({ max: 2 ** 40 })
    fc.assert(fc.property(amount, (ms) => parseDuration(formatDuration(ms)) === ms))
    fc.assert(fc.property(amount, (octets) => parseSize(formatSize(octets)) === octets))
    expect([formatDuration(0), formatDuration(90_000), formatDuration(86_400_000)]).toEqual([
      '0s',
      '90s',
      '1d',
    ])
    expect([formatSize(1024), formatSize(1472)]).toEqual(['1KiB', '1472B'])
  })
})

describe('nearest', () => {
  it('counts insertions, deletions, replacements and swaps', () => {
    expect(editDistance('roaming', 'roaming')).toBe(0)
    expect(editDistance('raoming', 'roaming')).toBe(1)
    expect(editDistance('', 'abc')).toBe(3)
    expect(editDistance('kitten', 'sitting')).toBe(3)
  })

  it('finds what was probably meant, and nothing when nothing is near', () => {
    const known = ['roaming', 'receiveBuffer', 'url']
    expect(nearest('Roaming', known)).toBe('roaming')
    expect(nearest('recieveBufer', known)).toBe('receiveBuffer')
    expect(nearest('uri', known)).toBe('url')
    expect(nearest('colour', known)).toBeUndefined()
    expect(nearest('x'.repeat(1_000_000), known)).toBeUndefined()
  })
})
