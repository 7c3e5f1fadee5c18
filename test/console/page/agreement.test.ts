// One source for numbers: overview, chips and rows of the list say the same, whatever became of the sensors.

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startConsole } from '../../../src/console/server.ts'
import { eventually, haveChromium, inChromium, openBrowser, visit } from '../browser.ts'
import { FakeView } from '../fake-view.ts'

describe.skipIf(!haveChromium)(`the numbers of the console page, ${inChromium}`, () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  async function open(sensors: number) {
    const view = new FakeView(sensors)
    const console = await startConsole(view, { url: 'http://127.0.0.1:0', metrics: async () => '' })
    onTestFinished(() => console.close())
    return { view, ...(await visit(browser, console.url)) }
  }

  it('agree with each other when most sensors are lost at once, and the headline says so', async () => {
    const { view, page, go } = await open(400)
    await page.getByRole('heading', { name: 'Everything works.' }).waitFor()
    for (const { clientId } of view.sensors({ offset: 0, limit: 300 }).items)
      view.change(clientId, 'lost', 'keep-alive passed')
    const lost = view.sensors({ state: 'lost', offset: 0, limit: 1 }).total
    await page.getByRole('heading', { name: `${lost} of 400 sensors are lost.` }).waitFor()
    const legend = page.locator('.legend a', { hasText: 'Lost' })
    await eventually(() => legend.locator('b').textContent()).toBe(String(lost))
    await legend.click()
    const chip = page.getByRole('button', { name: /^Lost/ })
    await eventually(() => chip.locator('b').textContent()).toBe(String(lost))
    await eventually(() => page.locator('.found').textContent()).toBe(`${lost} found`)
    await eventually(() => page.locator('.grid').getAttribute('aria-rowcount')).toBe(String(lost + 1))
    await go('#/sensors')
    await eventually(() => page.locator('.found').textContent()).toBe('400 sensors')
    await eventually(() => page.getByRole('button', { name: /^All/ }).locator('b').textContent()).toBe('400')
  })

  it('are there for what happened before the page was opened, and follow what happens', async () => {
    const { view, page, go } = await open(10)
    const event = (id: string, times: number, at: number) => ({
      ...({ id, times, at, firstAt: at - 60_000, kind: 'refused', tone: 'bad', reason: 'denied' } as const),
      ...{ text: 'Refused: a rule denies its ClientId.', clientId: 'visitor', address: '10.0.0.99:5000' },
      ...{ detail: undefined, key: 'sensors[].deny', docs: '/docs/operation#not-admitted' },
    })
    view.happened.push(event('1', 3, Date.now() - 3_600_000))
    await page.reload()
    const entry = page.locator('.happened li')
    await eventually(() => entry.allTextContents()).toHaveLength(1)
    await entry.getByText('3 times since').waitFor()
    expect(await entry.getByText('How to mend it').getAttribute('href')).toBe('docs/operation#not-admitted')
    view.happen(event('2', 1, Date.now()))
    await eventually(() => entry.allTextContents()).toHaveLength(2)
    await go('#/events')
    await eventually(() => page.locator('.found').textContent()).toBe('2 found')
    await page.getByText('sensors[].deny').first().waitFor()
  })
})
