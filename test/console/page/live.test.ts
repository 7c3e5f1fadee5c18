// The console page with a whole gateway behind it: a sensor's life as a person sees it, outages, the token.

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { freshName, until } from '../../support/gateway.ts'
import { startLiveGateway } from '../../support/live-gateway.ts'
import { eventually, haveChromium, inChromium, openBrowser, visit } from '../browser.ts'

describe.skipIf(!haveChromium)(`the console page of a whole gateway, ${inChromium}`, () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  async function start(token?: string) {
    const live = await startLiveGateway(token)
    onTestFinished(() => live.stop())
    return live
  }

  it('follows a sensor that connects, publishes, sleeps, and wakes up for a message', async () => {
    const { test, url } = await start()
    const { page } = await visit(browser, url, '/#/sensors')
    await page.getByText('No sensor has connected yet').waitFor()

    const clientId = `valve ${freshName()}`
    const sensor = await test.connected({ clientId, cleanSession: false, keepAlive: 60 })
    await sensor.subscribe('hall/valve/set', 1)
    await page.getByRole('link', { name: clientId }).click()
    await page.getByRole('heading', { name: clientId }).waitFor()
    await page
      .getByText('Nothing is in the way: messages of its 1 subscription are delivered at once.')
      .waitFor()
    await page.locator('.arrows').getByText('SUBACK').waitFor() // from before the page was opened
    const arrow = (type: string) => page.locator(`.arrows [data-type=${type}]:not([data-past]) .label`)

    await until(() => test.gateway.sessions.byClientId.get(clientId)?.state === 'active')
    await sensor.publish('hall/valve/open', '40 %', { qos: 1 })
    await eventually(() => arrow('PUBLISH').allTextContents()).toEqual([
      'PUBLISHhall/valve/open · QoS 1 · “40 %”',
    ])
    await eventually(() => arrow('REGISTER').allTextContents()).toEqual(['REGISTERhall/valve/open'])

    await sensor.sleep(600)
    await page.locator('.title').getByText('Asleep').waitFor()
    await page.getByText(/^Not now: it sleeps\. Messages wait until it wakes up, at the latest in /).waitFor()
    await page.getByRole('button', { name: 'Send message…' }).click()
    await page.getByLabel('Topic').fill('hall/valve/set')
    await page.getByRole('textbox', { name: 'Message' }).fill('close')
    await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click()
    await page.getByText(/^1 message \(19 octets\) waits for it/).waitFor()

    await sensor.wake()
    expect((await sensor.inbox.next()).text).toBe('close')
    await eventually(async () => (await arrow('PUBLISH').allTextContents()).at(-1)).toBe(
      'PUBLISHhall/valve/set · QoS 1 · “close”',
    )
    await eventually(async () => (await arrow('PINGREQ').allTextContents()).at(-1)).toBe(
      `PINGREQ${clientId} is awake`,
    )
    await page.getByText('No message waits for it at the moment.').waitFor()

    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('button', { name: 'Forget…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Forget it' }).click()
    await eventually(() => test.stateOf({ clientId })).toBeUndefined()
  })

  it('shows each message of the conversation once, before and after a break of the connection', async () => {
    const live = await start()
    const sensor = await live.test.connected({ autoPing: false })
    const { page, errors } = await visit(browser, live.url, `/#/sensor/${sensor.clientId}`)
    const shown = () => page.locator('.arrows li[data-type=PUBLISH] .label').allTextContents()
    await page.locator('.arrows').getByText('CONNACK').waitFor()
    await sensor.publish('t', '1', { qos: 1 })
    await eventually(shown).toHaveLength(1)
    await live.stopConsole()
    await page.getByText('The gateway does not answer.').first().waitFor()
    await sensor.publish('t', '2', { qos: 1 })
    await live.restart()
    await page.getByText('Live', { exact: true }).waitFor()
    expect(await page.locator('#trouble').isVisible()).toBe(false)
    await eventually(shown).toHaveLength(2)
    await sensor.publish('t', '3', { qos: 1 })
    await eventually(shown).toHaveLength(3)
    expect((await shown())[2]).toBe('PUBLISHt · QoS 1 · “3”')
    // The browser itself writes a line for every refused connection.
    expect(errors.filter((text) => !/net::ERR_/.test(text))).toEqual([])
    errors.length = 0
  })

  it('asks for the token when the gateway does not know the browser any more', async () => {
    const token = 'a token of some length'
    const live = await start(token)
    const { page, errors } = await visit(browser, live.url, `/?token=${encodeURIComponent(token)}`)
    await page.getByText('Live', { exact: true }).waitFor()
    expect(page.url()).toBe(`${live.url}/`)
    await live.stopConsole()
    await live.restart() // with a new secret for its cookies
    await page.getByLabel('Token').fill(token)
    await page.getByRole('button', { name: 'Enter' }).click()
    await page.getByText('Live', { exact: true }).waitFor()
    expect(page.url()).toBe(`${live.url}/`)
    expect(errors.filter((text) => !/status of 401|net::ERR_/.test(text))).toEqual([])
    errors.length = 0
  })
})
