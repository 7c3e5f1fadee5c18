// Slots: which part of all sensors a name belongs to.

import { describe, expect, it } from 'vitest'
import { allSlots, SLOTS, slotOfName, workerOfSlot } from '../../src/sessions/slots.ts'

describe('the slot of a name', () => {
  it('is what stores were written with: these values never change', () => {
    const golden = {
      '': 1020,
      a: 308,
      b: 1021,
      'sensor-1': 819,
      'sensor-2': 106,
      thermometer: 16,
      '192.0.2.1': 513,
      'Wetterstation-Süd': 449,
      ÿ: 601,
      日本: 349,
      '😀': 731,
      [new Array(101).join('x')]: 669,
    }
    for (const [name, slot] of Object.entries(golden)) expect([name, slotOfName(name)]).toEqual([name, slot])
    expect([SLOTS, allSlots.length, allSlots[0], allSlots.at(-1)]).toEqual([1024, 1024, 0, 1023])
  })

  it('is one of many, evenly, also for names that differ in little', () => {
    for (const name of ['sensor-%', 'load%', '%', 'aa:bb:cc:00:00:%', '10.0.%']) {
      const sizes = new Array<number>(SLOTS).fill(0)
      for (let i = 0; i < 100_000; i += 1) {
        const slot = slotOfName(name.replace('%', String(i)))
        sizes[slot] = (sizes[slot] ?? 0) + 1
      }
      // about 98 each; chance alone would give 60 to 140
      expect(Math.max(...sizes)).toBeLessThan(200)
      expect(Math.min(...sizes)).toBeGreaterThan(30)
    }
  })

  it('belongs to a worker, each of which has as many slots as the others, or one more', () => {
    for (const workers of [1, 2, 3, 7, 64]) {
      const sizes = new Array<number>(workers).fill(0)
      for (const slot of allSlots) {
        const worker = workerOfSlot(slot, workers)
        sizes[worker] = (sizes[worker] ?? 0) + 1
      }
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    }
  })
})
