// What the console page costs on the wire, and what it may not do: few requests, few octets, nothing inline, nobody else.

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { startConsole } from '../../../src/console/server.ts'
import { haveChromium, inChromium, openBrowser } from '../browser.ts'
import { ask } from '../client.ts'
import { FakeView } from '../fake-view.ts'
import { PAGES } from './pages.ts'

async function start() {
  const console = await startConsole(new FakeView(50), { url: 'http://127.0.0.1:0', metrics: async () => '' })
  onTestFinished(() => console.close())
  return console
}

it('has no script and no style in its documents, which the policy would forbid', async () => {
  const { text, headers } = await ask(await start(), '/')
  const policy = headers['content-security-policy']
  expect(policy).toContain("default-src 'self'")
  expect(policy).not.toMatch(/unsafe|data:|blob:|\*/)
  expect(text).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)/)
})

it('stays under 80 KiB also for browsers that do not take Brotli from everybody', async () => {
  const console = await start()
  const { text } = await ask(console, '/')
  const paths = ['/', ...[...text.matchAll(/(?:href|src)="(\/[^"#]+)"/g)].map(([, path = '']) => path)]
  const sizes = await Promise.all(
    paths.map(async (path) => {
      const { status, headers } = await ask(console, path, { headers: { 'accept-encoding': 'gzip' } })
      expect([path, status, headers['content-encoding']]).toEqual([path, 200, 'gzip'])
      return Number(headers['content-length'])
    }),
  )
  expect(paths.length).toBeLessThanOrEqual(5)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(80 * 1024)
})

describe.skipIf(!haveChromium)(`the console page on the wire, ${inChromium}`, () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  it('is at most 5 requests and 80 KiB, all pages together, besides what it asks the API', async () => {
    const { url } = await start()
    const page = await browser.newPage()
    onTestFinished(() => page.close())
    // What the browser's own tools say; an answer from its cache costs nothing.
    const network = await page.context().newCDPSession(page)
    const paths = new Map<string, string>()
    const files: { path: string; octets: number }[] = []
    network.on('Network.responseReceived', ({ requestId, response }) => {
      const { pathname } = new URL(response.url)
      const isCached = response.fromDiskCache === true || response.fromPrefetchCache === true
      if (!pathname.startsWith('/api/') && !isCached) paths.set(requestId, pathname)
    })
    network.on('Network.requestServedFromCache', ({ requestId }) => paths.delete(requestId))
    network.on('Network.loadingFinished', ({ requestId, encodedDataLength: octets }) => {
      const path = paths.get(requestId)
      if (path !== undefined && octets > 0) files.push({ path, octets })
    })
    await network.send('Network.enable')
    await page.goto(url)
    for (const name of PAGES) {
      await page.evaluate(`location.hash = '#/${name}'`)
      await page.locator('main h1:visible').first().waitFor()
    }
    await page.waitForLoadState('load')
    expect(files.map(({ path }) => path).sort()).toEqual([
      '/',
      '/app.js',
      '/icon.svg',
      '/styles/style.css',
      '/theme.js',
    ])
    expect(files.reduce((sum, { octets }) => sum + octets, 0)).toBeLessThan(80 * 1024)
  })
})
