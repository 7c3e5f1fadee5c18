// The plots of a page that has just been opened: they begin with what the gateway remembers.

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { HistoryReport, HistorySample } from '../../../src/console/contract/gateway.ts'
import { History } from '../../../src/console/page/data/history.ts'
import { startConsole } from '../../../src/console/server.ts'
import { eventually, haveChromium, inChromium, openBrowser, visit } from '../browser.ts'
import { FakeView } from '../fake-view.ts'

const metrics = async () => ''

/** A sample `second` seconds after the first, with 50 datagrams a second and one change every two. */
const sample = (second: number, at: number): HistorySample => ({
  ...{ at: at + 1000 * second, received: 1000 + 50 * second, sent: 40 * second, published: 0, delivered: 0 },
  ...{
    dropped: 3 + second,
    droppedBy: { malformed: 3, 'queue-full': second },
    changes: second / 2,
    queued: second,
    refused: 4,
  },
  ...{ losses: 0, refusals: 0, kernelDrops: 0 },
})
const reportOf = (at: number, seconds: readonly number[]): HistoryReport => ({
  at: at + 1000 * (seconds.at(-1) ?? 0),
  interval: 1000,
  samples: seconds.map((second) => sample(second, at)),
})

describe.skipIf(!haveChromium)(`the plots of a page that is opened, ${inChromium}`, () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  async function openPage() {
    const console = await startConsole(new FakeView(20), { url: 'http://127.0.0.1:0', metrics })
    onTestFinished(() => console.close())
    return visit(browser, console.url)
  }

  it('show the minutes before it was opened', async () => {
    const { page } = await openPage()
    await page.route('**/api/history', (route) =>
      route.fulfill({ json: reportOf(Date.now() - 299_000, [...Array(300).keys()]) }),
    )
    await page.reload()
    const chart = page.locator('.chart', { hasText: 'Network of the sensors' })
    await chart.locator('canvas').waitFor()
    await chart.locator('.u-over').hover() // the middle of the last five minutes
    await eventually(() => chart.locator('output').allTextContents()).toEqual(['50', '40'])
  })
})

describe('the columns of the plots', () => {
  it('turn totals into rates, by the clock of the page', () => {
    const history = new History()
    history.fill(reportOf(500_000, [0, 1, 2, 9, 10]), 910_000)
    const [at, received, changes, queued, kernelDrops] = history.columns([
      'received',
      'changes',
      'queued',
      'kernelDrops',
    ])
    expect(at).toEqual([901, 902, 909, 910])
    expect(received).toEqual([50, 50, null, 50])
    expect(changes).toEqual([0.5, 0.5, null, 0.5])
    expect(queued).toEqual([1, 2, null, 10])
    expect(kernelDrops).toEqual([0, 0, null, 0])
  })

  it('tell the drops of the last five minutes by reason, those from before the page was opened included', () => {
    const history = new History()
    history.fill(reportOf(0, [0, 1, 2]), 2000)
    expect(history.drops()).toEqual({ 'queue-full': 2 })
  })

  it('keep what the page saw itself before and after, and nothing twice', () => {
    const history = new History()
    history.fill(reportOf(0, [10, 11, 12, 13]), 13_000)
    history.fill(reportOf(0, [30, 31, 32]), 32_000)
    history.fill(reportOf(0, [31, 32, 33]), 33_000)
    history.fill(reportOf(0, [31, 32]), 32_000)
    history.fill({ at: 0, interval: 1000, samples: [] }, 40_000)
    const [at, queued] = history.columns(['queued'])
    expect(at).toEqual([11, 12, 13, 30, 32, 33])
    expect(queued).toEqual([11, 12, 13, null, 32, 33])
  })
})
