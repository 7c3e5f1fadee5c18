// Whom the console page reaches: keys, screen readers, weak eyes, telephones, paper.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Console, startConsole } from '../../../src/console/server.ts'
import { haveChromium, inChromium, openBrowser, visit } from '../browser.ts'
import { FakeView } from '../fake-view.ts'
import { cluster } from './nodes.ts'
import { PAGES } from './pages.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const LEVELS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/** What axe finds wrong on the page as it is, in a form that can be read. */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  return (await page.evaluate(`axe
    .run(document, { runOnly: { type: 'tag', values: ${JSON.stringify(LEVELS)} } })
    .then(({ violations }) => violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, any, all }) => id + ': ' + html.slice(0, 160) + ' ' + [...any, ...all].map(({ message }) => message).join('; '))))`)) as string[]
}

describe.skipIf(!haveChromium)(
  `the console page reaches everybody, ${inChromium}`,
  { timeout: 90_000 },
  () => {
    let console: Console
    let browser: Browser

    beforeAll(async () => {
      const view = new FakeView(300)
      view.clusterInfo = cluster({
        replicated: false,
        differences: ['broker.url'],
        linkWhy: 'it does not answer',
      })
      const now = Date.now()
      view.alter('meter-0000', {
        findings: [
          {
            ...{
              id: 'a',
              tone: 'bad',
              text: 'The broker refuses its login.',
              next: 'Compare the passwords.',
            },
            ...{ key: 'sensors[].username', docs: '/docs/operation#login-refused' },
          },
          { id: 'b', tone: 'note', text: 'It is asleep.', next: '', key: undefined, docs: undefined },
        ],
        published: [
          {
            ...{ topic: 'hall/x', times: 9, firstAt: now, lastAt: now, perMinute: 3, octets: 4, qos: 1 },
            ...{ refused: 2, lastCode: 2, lastRefusal: 'rejected: invalid topic id' },
          },
        ],
        waiting: [{ direction: 'toBroker', why: 'broker-away', text: 'It is away.', messages: 2, octets: 9 }],
        refusals: view.refusals(),
        deadLetters: [
          { token: 1, topic: 'secret/room', qos: 1, retain: false, octets: 12, at: now, why: 'refused' },
        ],
        recent: [
          {
            at: now,
            direction: 'sent',
            type: 'PUBACK',
            text: 'hall/x, rejected: invalid topic id',
            refused: 2,
          },
        ],
      })
      view.happened.push({
        ...{ id: '1', at: now, firstAt: now - 9000, times: 4, kind: 'lost', tone: 'warn', reason: undefined },
        ...{
          text: 'A sensor fell silent.',
          clientId: 'meter-0004',
          address: '10.0.0.4:5004',
          detail: 'clean',
        },
        ...{ key: 'timers.tRetry', docs: '/docs/operation#sensor-lost' },
      })
      console = await startConsole(view, { url: 'http://127.0.0.1:0', metrics: async () => '' })
      browser = await openBrowser()
    })
    afterAll(async () => {
      await browser?.close()
      await console?.close()
    })

    it.each(['light', 'dark'] as const)('axe finds nothing at WCAG AA in %s colours', async (colorScheme) => {
      const { page, go } = await visit(browser, console.url, '/', { colorScheme })
      const found: Record<string, string[]> = {}
      for (const name of PAGES) {
        await go(`#/${name}`)
        await page.locator('main h1:visible').first().waitFor()
        await page.waitForTimeout(300)
        found[name] = await findings(page)
      }
      expect(found).toEqual(Object.fromEntries(PAGES.map((name) => [name, []])))
    })

    it('axe finds nothing in an open menu, a dialog and an open message', async () => {
      const { page } = await visit(browser, console.url, '/#/sensor/meter-0000')
      await page.locator('.arrow').first().click()
      await page.getByRole('button', { name: 'More' }).click()
      expect(await findings(page)).toEqual([])
      await page.keyboard.press('Escape')
      await page.getByRole('button', { name: 'Send message…' }).click()
      await page.getByRole('dialog').waitFor()
      expect(await findings(page)).toEqual([])
    })

    it('keys scroll every page at once, without a click', async () => {
      const { page, go } = await visit(browser, console.url, '/', { viewport: { width: 800, height: 320 } })
      for (const name of PAGES) {
        await go(`#/${name}`)
        await page.locator('main h1:visible').first().waitFor()
        const box = name === 'sensors' ? '.grid' : 'main'
        const height = await page.evaluate(
          `(({ scrollHeight, clientHeight }) => scrollHeight - clientHeight)(document.querySelector('${box}'))`,
        )
        if (Number(height) < 20) continue
        await page.keyboard.press('PageDown')
        await expect
          .poll(() => page.evaluate(`document.querySelector('${box}').scrollTop`), { message: name })
          .toBeGreaterThan(0)
      }
    })

    it('a dot has the shape of the nearest tone, however panels are nested', async () => {
      const { page } = await visit(browser, console.url, '/#/words')
      await page.getByRole('heading', { name: 'Words' }).waitFor()
      const shapes = await page.evaluate(`(() => {
      const tones = ['good', 'note', 'warn', 'bad', 'sleep', 'busy', 'off']
      const shapeIn = (...around) => {
        const place = document.body.appendChild(document.createElement('div'))
        let inner = place
        for (const tone of around) {
          inner = inner.appendChild(document.createElement('div'))
          inner.dataset.tone = tone
        }
        const dot = inner.appendChild(document.createElement('span'))
        dot.className = 'dot'
        const { width, height, borderRadius, clipPath, borderStyle, backgroundImage, backgroundColor } = getComputedStyle(dot)
        place.remove()
        return [width, height, borderRadius, clipPath, borderStyle, backgroundImage, backgroundColor].join(' ')
      }
      return tones.flatMap((outer) => tones.map((inner) => [outer + ' ' + inner, shapeIn(outer, inner) === shapeIn(inner)]))
    })()`)
      expect((shapes as [string, boolean][]).filter(([, same]) => !same)).toEqual([])
    })

    it('tables are read on a telephone without scrolling sideways', async () => {
      const viewport = { width: 390, height: 844 }
      const { page, go } = await visit(browser, console.url, '/', { viewport })
      for (const name of PAGES) {
        await go(`#/${name}`)
        await page.locator('main h1:visible').first().waitFor()
        const wide = await page.evaluate(
          "[...document.querySelectorAll('main table, main .scroll')].filter((e) => e.scrollWidth > e.clientWidth + 1 || e.getBoundingClientRect().right > innerWidth).map((e) => e.outerHTML.slice(0, 120))",
        )
        expect({ name, wide }).toEqual({ name, wide: [] })
      }
    })

    it('on paper there is all of a page, and nothing that can only be clicked', async () => {
      const { page } = await visit(browser, console.url, '/#/drops', { colorScheme: 'dark' })
      await page.getByText('Dropped since the start').waitFor()
      await page.emulateMedia({ media: 'print' })
      const { whole, ground } = (await page.evaluate(`(() => {
      const main = document.querySelector('main')
      return { whole: main.scrollHeight <= main.clientHeight + 1, ground: getComputedStyle(document.body).backgroundColor }
    })()`)) as { whole: boolean; ground: string }
      expect({ whole, ground }).toEqual({ whole: true, ground: 'rgb(255, 255, 255)' })
      expect(await page.locator('nav, .export').filter({ visible: true }).count()).toBe(0)
    })
  },
)
