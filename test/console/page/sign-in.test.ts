// The page that asks for the token: it looks like the console, and gives away nothing else of it.

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startConsole } from '../../../src/console/server.ts'
import { haveChromium, inChromium, openBrowser, visit } from '../browser.ts'
import { ask } from '../client.ts'
import { FakeView } from '../fake-view.ts'

const token = 'correct horse battery staple'

async function start() {
  const console = await startConsole(new FakeView(5), {
    url: 'http://127.0.0.1:0',
    metrics: async () => '',
    token,
  })
  onTestFinished(() => console.close())
  return console
}

it('needs files that everyone may have, and only those', async () => {
  const console = await start()
  const { status, text } = await ask(console, '/')
  expect(status).toBe(401)
  const files = [...text.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path = '']) => path)
  expect(files).toContain('/styles/style.css')
  for (const path of files) expect((await ask(console, path)).status, path).toBe(200)
  for (const path of ['/app.js', '/styles/sensors.css', '/uplot.js', '/index.html'])
    expect((await ask(console, path)).status, path).toBe(401)
})

describe.skipIf(!haveChromium)(`the sign-in page, ${inChromium}`, () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  it('has the colours of the console, light and dark, and asks again for a wrong token', async () => {
    const { url } = await start()
    const grounds: unknown[] = []
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, errors } = await visit(browser, url, '/', { colorScheme })
      const ground = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
      grounds.push(await ground())
      await page.getByLabel('Token').fill('some other token of mine')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('alert').getByText('This is not the token.').waitFor()
      await page.getByLabel('Token').fill(token)
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Everything works.' }).waitFor()
      expect([page.url(), await ground()]).toEqual([`${url}/`, grounds.at(-1)])
      // The browser itself writes a line for every 401; a style that the policy forbids would be another.
      expect(errors.filter((text) => !/status of 401/.test(text))).toEqual([])
      errors.length = 0
    }
    expect(grounds).toEqual(['rgb(245, 246, 248)', 'rgb(14, 18, 24)'])
  })
})
