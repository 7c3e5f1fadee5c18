// What the console remembers for the plots of a page that is opened later: totals, bounded, on one timer.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createHistory } from '../../src/console/history.ts'
import { ask, openConsole } from './client.ts'
import { change, scriptedView } from './scripted-view.ts'

describe('the history', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('has a sample of the totals for every second, from the start on', async () => {
    const view = scriptedView()
    const history = createHistory(view, 1000, () => {})
    expect(history.report().samples).toEqual([])
    const begin = Date.now()
    history.start()
    await vi.advanceTimersByTimeAsync(0)
    view.change(change)
    const { info } = view.now
    view.now.info = {
      ...info,
      queuedMessages: 9,
      counters: { ...info.counters, receivedDatagrams: 112, published: 15, dropped: { a: 6, b: 1 } },
    }
    await vi.advanceTimersByTimeAsync(1000)
    const first = { received: 12, sent: 9, published: 5, delivered: 3, dropped: 5, changes: 0, queued: 1 }
    const second = { ...first, received: 112, published: 15, dropped: 7, changes: 1, queued: 9 }
    const [before, after] = [info.counters.dropped, { a: 6, b: 1 }]
    const others = { refused: 4, losses: 1, refusals: 3, kernelDrops: 7 }
    expect(history.report()).toEqual({
      at: begin + 1000,
      interval: 1000,
      samples: [
        { at: begin, ...first, droppedBy: before, ...others },
        { at: begin + 1000, ...second, droppedBy: after, ...others },
      ],
    })
    history.close()
  })

  it('forgets what is older than five minutes', async () => {
    const history = createHistory(scriptedView(), 1000, () => {})
    history.start()
    await vi.advanceTimersByTimeAsync(400_000)
    const { at, samples } = history.report()
    expect(samples).toHaveLength(300)
    expect([samples[0]?.at, samples.at(-1)?.at]).toEqual([at - 299_000, at])
    history.close()
  })

  it('has one of each minute for a day besides', async () => {
    const history = createHistory(scriptedView(), 1000, () => {})
    history.start()
    await vi.advanceTimersByTimeAsync(600_000)
    const { interval, samples } = history.report('minute')
    expect([interval, samples.length]).toEqual([60_000, 11])
    expect((samples[1]?.at ?? 0) - (samples[0]?.at ?? 0)).toBe(60_000)
    await vi.advanceTimersByTimeAsync(2 * 86_400_000)
    expect(history.report('minute').samples).toHaveLength(1440)
    history.close()
  })

  it('costs nothing before it starts and after it ends', () => {
    const view = scriptedView()
    const history = createHistory(view, 1000, () => {})
    history.close()
    expect([vi.getTimerCount(), view.changeListeners.size]).toEqual([0, 0])
    history.start()
    expect([vi.getTimerCount(), view.changeListeners.size]).toEqual([1, 1])
    history.close()
    expect([vi.getTimerCount(), view.changeListeners.size]).toEqual([0, 0])
  })

  it('goes on after a look that failed', async () => {
    const view = scriptedView()
    const errors: unknown[] = []
    const { info } = view
    view.info = () => {
      throw new Error('not now')
    }
    const history = createHistory(view, 1000, (error) => errors.push(error))
    history.start()
    view.info = info
    await vi.advanceTimersByTimeAsync(1000)
    expect([errors.length, history.report().samples.length]).toEqual([1, 1])
    history.close()
  })
})

it('is served while the console is, and ends with it', async () => {
  const console = await openConsole({ limits: { summaryInterval: 20 } })
  const report = async () => JSON.parse((await ask(console, '/api/history')).text)
  await expect.poll(async () => (await report()).samples.length).toBeGreaterThan(2)
  expect((await report()).interval).toBe(20)
  await console.close()
  expect(console.view.changeListeners.size).toBe(0)
})
