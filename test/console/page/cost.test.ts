// What a page with 5,000 sensors costs the computer that shows it.

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startConsole } from '../../../src/console/server.ts'
import { haveChromium, inChromium, openBrowser, visit } from '../browser.ts'
import { FakeView } from '../fake-view.ts'

const SECONDS = 5

describe.skipIf(!haveChromium)(`a page with 5,000 sensors, ${inChromium}`, { timeout: 60_000 }, () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  /** Seconds of processor time that the processes of pages took so far. */
  async function processorTime(): Promise<number> {
    const session = await browser.newBrowserCDPSession()
    const { processInfo } = await session.send('SystemInfo.getProcessInfo')
    await session.detach()
    return processInfo.reduce((sum, { type, cpuTime }) => (type === 'renderer' ? sum + cpuTime : sum), 0)
  }

  it.each(['sensors', ''])('is quiet while it is looked at: "%s"', async (name) => {
    const view = new FakeView(5000)
    view.run(200)
    onTestFinished(() => view.stop())
    const console = await startConsole(view, { url: 'http://127.0.0.1:0', metrics: async () => '' })
    onTestFinished(() => console.close())
    const { page } = await visit(browser, console.url, `/#/${name}`)
    await page
      .locator(name === '' ? '.check-card' : '.c-id a')
      .first()
      .waitFor()
    await page.waitForTimeout(2000)
    const before = await processorTime()
    await page.waitForTimeout(SECONDS * 1000)
    expect((await processorTime()) - before).toBeLessThan(SECONDS * 0.1)
  })
})
