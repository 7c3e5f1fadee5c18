// Every row of the return code tables.

import { describe, expect, it } from 'vitest'
import { ackOutcome, connackOutcome, endingOf, hex, refusesVersion } from '../../src/upstream/reason-codes.ts'

describe('outcomes', () => {
  it.each([
    [0, 0],
    [1, 3],
    [2, 3],
    [3, 1],
    [4, 3],
    [5, 3],
    [6, 3],
    [255, 3],
  ])('maps CONNACK return code %i of MQTT 3.1.1 to %i', (code, outcome) => {
    expect(connackOutcome(4, code)).toBe(outcome)
  })

  it.each([
    [0x00, 0],
    [0x80, 1],
    [0x88, 1],
    [0x89, 1],
    [0x97, 1],
    [0x9f, 1],
    [0x9c, 1],
    [0x9d, 1],
    [0x81, 3],
    [0x82, 3],
    [0x83, 3],
    [0x84, 3],
    [0x85, 3],
    [0x86, 3],
    [0x87, 3],
    [0x8a, 3],
    [0x8c, 3],
    [0x90, 3],
    [0x95, 3],
    [0x99, 3],
    [0x9a, 3],
    [0x9b, 3],
    [0xff, 3],
  ])('maps CONNACK reason code %i of MQTT 5 to %i', (code, outcome) => {
    expect(connackOutcome(5, code)).toBe(outcome)
  })

  it.each([
    ...[0x00, 0x01, 0x02, 0x10].map((code) => [code, 0] as const),
    [0x97, 1] as const,
    [0x91, 'again'] as const,
    ...[0x80, 0x83, 0x87, 0x8f, 0x90, 0x99, 0x9e, 0xa1, 0xa2, 0xff].map((code) => [code, 3] as const),
  ])('maps code %i of SUBACK, PUBACK and PUBREC to %s', (code, outcome) => {
    expect(ackOutcome(code)).toBe(outcome)
  })

  it.each([
    [0x8e, 'taken-over', false] as const,
    [0x87, 'forbidden', false] as const,
    [0x98, 'forbidden', false] as const,
    ...[0x00, 0x80, 0x89, 0x8b, 0x8d, 0x96, 0x97, 0x9c, 0x9d, 0x9f, 0xa0, 0xff].map(
      (code) => [code, 'lost', false] as const,
    ),
    ...[0x90, 0x95, 0x99].map((code) => [code, 'lost', false] as const),
    ...[0x81, 0x82, 0x93, 0x94, 0x9a, 0x9b, 0x9e, 0xa1, 0xa2].map((code) => [code, 'lost', true] as const),
  ])('takes DISCONNECT with code %i for %s, fault %s', (code, why, fault) => {
    expect(endingOf(code)).toEqual({ why, fault })
  })

  it('knows the refusals of a version in both versions` words', () => {
    expect([0, 1, 2, 0x83, 0x84, 0x85].filter(refusesVersion)).toEqual([1, 0x84])
  })

  it('writes codes as the specification does', () => {
    expect([hex(0), hex(0x8e)]).toEqual(['0x00', '0x8e'])
  })
})
