// Numbers of sessions in slots: whoever has a slot counts on, wherever the one before has stopped.

import { describe, expect, it } from 'vitest'
import { slotOfNumber } from '../../../src/dtls/slots.ts'
import { SlotNumbers } from '../../../src/transport/dtls/session-numbers.ts'

/** What is kept, by name; as it is when it is written. */
function keeping() {
  const kept = new Map<string, object | undefined>()
  const store = {
    keepAside: (name: string, record: () => object | undefined) => void kept.set(name, record()),
    nameInSlot: (slot: number, name: string) => `${slot}: ${name}`,
  }
  return { kept, store }
}

describe('the numbers of a slot', () => {
  it('are given by whoever has it, and none of them twice, whatever has become of the one before', () => {
    const { kept, store } = keeping()
    const given: (number | undefined)[] = []
    for (let times = 0; times < 3; times += 1) {
      const numbers = new SlotNumbers(store, 'field') // another process
      numbers.takeUp(7, kept.get('7: dtls numbers field'))
      for (let i = 0; i < 5000; i += 1) given.push(numbers.draw(7))
    }
    expect(new Set(given).size).toBe(15_000)
    expect(given.every((number) => number !== undefined && slotOfNumber(number) === 7)).toBe(true)
  })

  it('are hardly given twice even if the record of the first ones was never written: sensors may be stored by them', () => {
    const { store } = keeping()
    const given = Array.from({ length: 1000 }, () => {
      const numbers = new SlotNumbers(store, 'field')
      numbers.takeUp(7, undefined)
      return numbers.draw(7)
    })
    expect(new Set(given).size).toBeGreaterThan(990)
    expect(given.every((number = 0) => number < 2 ** 48 && slotOfNumber(number) === 7)).toBe(true)
  })

  it('are kept when the first one is drawn, so that taking up many slots writes nothing', () => {
    const { kept, store } = keeping()
    const numbers = new SlotNumbers(store, 'field')
    for (let slot = 0; slot < 1024; slot += 1) numbers.takeUp(slot, undefined)
    expect(kept.size).toBe(0)
    numbers.draw(3)
    expect([...kept.keys()]).toEqual(['3: dtls numbers field'])
  })

  it('are not given without the slot', () => {
    const numbers = new SlotNumbers(keeping().store, 'field')
    expect(numbers.draw(3)).toBeUndefined()
    numbers.takeUp(3, undefined)
    expect(numbers.draw(3)).toBeDefined()
    numbers.letGo(3)
    expect(numbers.draw(3)).toBeUndefined()
  })
})
