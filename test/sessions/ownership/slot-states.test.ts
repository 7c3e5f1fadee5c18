// What is done for the messages of each slot, as it comes and goes.

import { describe, expect, it } from 'vitest'
import { SlotStates } from '../../../src/sessions/ownership/slot-states.ts'
import { allSlots } from '../../../src/sessions/slots.ts'

describe('a message', () => {
  it('is served, held or refused by the state of its slot', () => {
    const states = new SlotStates(allSlots)
    const verdicts = () => [1, 2, 3].map((slot) => states.judge(slot))
    expect(verdicts()).toEqual(['refuse', 'refuse', 'refuse'])
    states.enter('loading', [1, 2])
    expect(verdicts()).toEqual(['hold', 'hold', 'refuse'])
    states.enter('served', [1])
    expect(verdicts()).toEqual(['serve', 'hold', 'refuse'])
    states.enter('leaving', [1])
    states.enter('absent', [2])
    expect(verdicts()).toEqual(['hold', 'refuse', 'refuse'])
    expect([states.which('leaving'), states.which('served')]).toEqual([[1], []])
  })

  it('from an unknown address is a stranger’s only when every slot is served: until then nobody is told to go away (R1)', () => {
    const states = new SlotStates(allSlots)
    expect([states.judge(undefined), states.isWhole]).toEqual(['refuse', false])
    states.enter('loading', allSlots)
    expect([states.judge(undefined), states.isWhole]).toEqual(['hold', false])
    states.enter('served', allSlots.slice(1))
    expect([states.judge(undefined), states.isWhole]).toEqual(['hold', false])
    states.enter('served', [0])
    expect([states.judge(undefined), states.isWhole]).toEqual(['serve', true])
    states.enter('leaving', [7])
    expect([states.judge(undefined), states.isWhole]).toEqual(['hold', false])
    states.enter('absent', [7])
    expect([states.judge(undefined), states.isWhole]).toEqual(['refuse', false])
  })

  it('is missed only of the slots that may be served here: a worker has its part', () => {
    const states = new SlotStates([1, 3, 5])
    states.enter('served', [1, 3])
    expect(states.isWhole).toBe(false)
    states.enter('served', [5, 5])
    expect(states.isWhole).toBe(true)
    states.enter('absent', [5])
    expect(states.isWhole).toBe(false)
  })
})
