// How long a node may go on without the engine, from what the others say.

import { describe, expect, it } from 'vitest'
import { Contact } from '../../../src/cluster/judging/contact.ts'
import { Judge } from '../../../src/cluster/judging/judge.ts'
import { readContactMessage } from '../../../src/cluster/shares/engine-contact.ts'

const LEASE = 5000
const NOW = 100_000
const three = ['a', 'b', 'c']

/** What the others have said: when they were asked, and for how long the engine has answered them. */
type Said = Readonly<Record<string, readonly [askedAt: number, age: number | null]>>

const never = Number.NEGATIVE_INFINITY

describe('node a goes on without the engine', () => {
  it.each<[string, readonly string[], readonly string[], Said, number]>([
    [
      'for a lease from the question to which the others have said that it is silent',
      ...[['b', 'c'], three, { b: [99_900, null], c: [99_800, null] }, 99_800 + 4800],
    ],
    ['as one of three of which one is not linked', ...[['b'], three, { b: [99_900, null] }, 99_900 + 4800]],
    ['never when it is linked to nobody', [], three, {}, never],
    ['never as one of four that is linked to one', ['b'], [...three, 'd'], { b: [99_900, null] }, never],
    ['never as one of two that is linked to nobody', [], ['a', 'b'], {}, never],
    ['never when one that is linked says nothing', ['b', 'c'], three, { b: [99_900, null] }, never],
    [
      'not beyond a lease after the engine has come back to another one, if it has not come back to this one',
      ...[['b', 'c'], three, { b: [99_900, 1000], c: [99_900, null] }, 98_900 + 4800],
    ],
    [
      'no longer than its lease if another one has never lost it',
      ...[['b', 'c'], three, { b: [99_900, 3_600_000], c: [99_900, null] }, 99_900 - 3_600_000 + 4800],
    ],
    [
      'no longer although the link to one that had it has gone since',
      ...[['b'], three, { b: [99_900, null], c: [99_000, 60_000] }, 99_000 - 60_000 + 4800],
    ],
    [
      'although the link to one that had none has gone since',
      ...[['b'], three, { b: [99_900, null], c: [50_000, null] }, 99_900 + 4800],
    ],
    [
      'no longer if one that it has not seen yet has the engine',
      ...[['b', 'd'], ['a', 'b'], { b: [99_900, null], d: [99_900, 7000] }, 99_900 - 7000 + 4800],
    ],
    ['when nobody else is there', [], ['a'], {}, NOW + 4800],
  ] as never)('%s', (_, linked, living, said, until) => {
    const contact = new Contact(LEASE)
    for (const [node, [askedAt, age]] of Object.entries(said)) contact.note(node, askedAt, age)
    expect(contact.until({ linked, living }, NOW)).toBe(until)
  })

  it('by the last question that was answered, and by nothing from before the engine itself has answered', () => {
    const contact = new Contact(LEASE)
    contact.note('b', 2000, null)
    contact.note('b', 1000, 60_000)
    expect(contact.until({ linked: ['b'], living: ['a', 'b'] }, 2500)).toBe(6800)
    contact.clear()
    expect(contact.until({ linked: ['b'], living: ['a', 'b'] }, 2500)).toBe(never)
  })
})

describe('a node that is asked for the engine', () => {
  const answered = (...asked: readonly number[]) => {
    const judge = new Judge(LEASE)
    for (const at of asked) judge.noteAnswer(at, at)
    return judge
  }

  it('says since when it has answered without a break', () => {
    const judge = answered(1000, 2000, 3000)
    expect(judge.tellSince(3500)).toBe(1000)
    expect(judge.isInformed(6000)).toBe(true)
    judge.noteAnswer(9000, 9000) // after a break
    expect(judge.tellSince(9100)).toBe(9000)
  })

  it('says that it is silent, after a question that was not answered or when there was no answer for long', () => {
    const judge = answered(1000)
    expect(judge.tellSince(3000)).toBe(1000)
    expect(judge.tellSince(3001)).toBeUndefined()
    const other = answered(1000)
    other.noteSilence()
    expect(other.tellSince(1100)).toBeUndefined()
    expect(new Judge(LEASE).tellSince(0)).toBeUndefined()
  })

  it('judges nobody for a lease after it has said so, also if what was under way then is answered', () => {
    const judge = answered(1000, 2000)
    expect(judge.tellSince(4100)).toBeUndefined()
    judge.noteAnswer(3000, 3000)
    judge.noteAnswer(5000, 5000)
    expect(judge.tellSince(5100)).toBe(4100)
    expect(judge.isInformed(9099)).toBe(false)
    expect(judge.isInformed(9100)).toBe(true)
  })
})

describe('what nodes say of the engine', () => {
  it.each([
    { type: 'engine-asked', at: 12.5 },
    { type: 'engine-answers', at: 12.5, age: 0 },
    { type: 'engine-answers', at: 12.5, age: null },
  ])('is read as it was written: %j', (message) => {
    expect(readContactMessage(JSON.parse(JSON.stringify(message)))).toEqual(message)
  })

  it.each([
    [undefined],
    [null],
    ['engine-asked'],
    [{ type: 'engine-asked' }],
    [{ type: 'engine-asked', at: '1' }],
    [{ type: 'engine-answers', at: 1 }],
    [{ type: 'engine-answers', at: 1, age: -1 }],
    [{ type: 'engine-answers', at: 1, age: 'long' }],
    [{ type: 'look', at: 1 }],
  ])('is none if anything in it is not what it should be: %j', (value) => {
    expect(readContactMessage(value)).toBeUndefined()
  })
})
