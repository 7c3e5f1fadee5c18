// A process that stood still throws away what its sockets hold, and nothing else.

import { describe, expect, it } from 'vitest'
import { StallWatch } from '../../../src/gateway/datagrams/stall.ts'

/** Turns of the event loop in which so many datagrams come; how many were thrown away of each. */
function turns(watch: StallWatch, now: number, ...counts: number[]): number[] {
  return counts.map((count) => {
    let thrown = 0
    for (let i = 0; i < count; i++) if (watch.isStale(now)) thrown += 1
    if (watch.isClearing) watch.endTurn(now)
    return thrown
  })
}

describe('a process', () => {
  it('that runs throws nothing away', () => {
    const watch = new StallWatch(0)
    watch.beat(500)
    expect(turns(watch, 1000, 40, 3)).toEqual([0, 0])
  })

  it('that stood still throws away until the sockets give less than they could', () => {
    const watch = new StallWatch(0)
    expect(turns(watch, 501, 32, 32, 32, 7, 5)).toEqual([32, 32, 32, 7, 0])
  })

  it('looks at the sockets once at least when a timer has noticed it first', () => {
    const watch = new StallWatch(0)
    watch.beat(5000)
    watch.endTurn(5000)
    expect(turns(watch, 5001, 3, 4)).toEqual([3, 0])
  })

  it('serves again after a second, whatever comes', () => {
    const watch = new StallWatch(0)
    expect(turns(watch, 600, 100)).toEqual([100])
    watch.beat(1000)
    watch.beat(1400)
    expect(turns(watch, 1600, 100, 100)).toEqual([100, 0])
  })
})
