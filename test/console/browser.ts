// A real Chromium for tests of the console page, which notes every request and every error of the page.

import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'

const EXECUTABLE = '/usr/bin/chromium'
const QUIET = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Part of a suite's name, so that the report tells why it was skipped. */
export const haveChromium = existsSync(EXECUTABLE)
export const inChromium = haveChromium ? 'in Chromium' : `(skipped: there is no ${EXECUTABLE})`

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: EXECUTABLE, args: QUIET })

export interface Visit {
  readonly page: Page
  /** what the page wrote as errors; the test fails at its end if anything is left here */
  readonly errors: string[]
  /** Goes to another place of the page. */
  go(hash: string): Promise<void>
}

/**
 * Opens the page of a console; closed with the test, which then fails if there were errors, or a request to anybody
 * else. `path` is `/` with a hash.
 */
export async function visit(
  browser: Browser,
  url: string,
  path = '/',
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  const errors: string[] = []
  const foreign: string[] = []
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) foreign.push(request.url())
  })
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') errors.push(message.text())
  })
  page.on('pageerror', (error) => errors.push(String(error.stack)))
  onTestFinished(async () => {
    await context.close()
    expect({ errors, foreign }).toEqual({ errors: [], foreign: [] })
  })
  await page.goto(url + path)
  return {
    page,
    errors,
    async go(hash) {
      await page.evaluate(`location.hash = ${JSON.stringify(hash)}`)
    },
  }
}

/** An expectation that a page may need a moment to meet. */
export const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 15_000 })
