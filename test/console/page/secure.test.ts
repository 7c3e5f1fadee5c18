// Secure sessions on the page, in a real browser at a real gateway with sensors behind DTLS.

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { timesInWords } from '../../../src/console/page/words/handshakes.ts'
import { DtlsPeer } from '../../support/dtls-peer.ts'
import { connect, KEYS } from '../../support/dtls-scene.ts'
import { type LiveGateway, startLiveGateway } from '../../support/live-gateway.ts'
import { haveChromium, inChromium, openBrowser, visit } from '../browser.ts'

describe.skipIf(!haveChromium)(`secure sessions on the page, ${inChromium}`, () => {
  let live: LiveGateway
  let browser: Browser
  beforeAll(async () => {
    const limits = { sessions: 50, handshakes: 20, handshake: '1s', retransmit: '100ms' }
    const dtls = { psk: { keys: KEYS }, ...limits }
    live = await startLiveGateway(undefined, {
      listeners: [{ url: 'dtls://127.0.0.1:0', name: 'field', dtls }],
    })
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await live?.stop()
  })

  async function connected(identity: string): Promise<DtlsPeer> {
    const options = { psk: [identity, KEYS[identity] ?? ''] as const, connectionIdLength: 0 }
    const meter = await DtlsPeer.open(live.test.url(), options)
    onTestFinished(() => meter.close())
    meter.send(connect(identity, false))
    await meter.next('connack')
    return meter
  }

  const isOver = (meter: DtlsPeer) =>
    meter.until(() => meter.effects.some(({ type }) => type === 'closed'), 20_000)

  it('are told of by listener, with limits, how handshakes ended, their times and keys', async () => {
    await connected('meter-1')
    const { page } = await visit(browser, live.url, '/#/connections')
    const row = page.getByRole('region', { name: 'Secure sessions' }).getByRole('row', { name: /^field/ })
    await row.getByText('1 of 50').waitFor()
    await row.getByText('0 of 20').waitFor()
    await row.getByText('1 full').waitFor()
    await row.getByText(/^with keys: within [\d.]+ (ms|s), 95 of 100 within/).waitFor()
    await row.getByText(`${Object.keys(KEYS).length}`, { exact: true }).waitFor()
  })

  it('that are not let in are told of, with the name that they gave and why', async () => {
    const wrong = await DtlsPeer.start(live.test.url(), { psk: ['meter-9', KEYS['meter-1'] ?? ''] })
    onTestFinished(() => wrong.close())
    const { page } = await visit(browser, live.url, '/#/connections')
    const failed = page.getByRole('region', { name: 'Handshakes that failed lately' })
    const row = failed.getByRole('row', { name: /meter-9/ })
    await row.getByText('wrong-key').waitFor()
    await row.getByText(`127.0.0.1:${wrong.port}`).waitFor()
  })

  it('are told of by sensor, and end when a person says so', async () => {
    const meter = await connected('meter-2')
    const { page } = await visit(browser, live.url, '/#/sensor/meter-2')
    await page.getByText('meter-2, by its key').waitFor()
    await page.getByText('TLS_ECDHE_PSK_WITH_AES_128_CCM_SHA256').waitFor()
    await page.getByText('1 in, 2 out').waitFor()
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('button', { name: 'End secure session…' }).click()
    await page.getByRole('button', { name: 'End it' }).click()
    await page.getByText('The secure session was ended.').waitFor()
    await isOver(meter)
    await page.getByText('over: it needs a handshake').waitFor()
    expect(live.test.stateOf({ clientId: 'meter-2' })).toBe('active')
  })

  it('end for several sensors at once', async () => {
    const meters = [await connected('meter-3'), await connected('meter-4')]
    const { page } = await visit(browser, live.url, '/#/sensors')
    for (const identity of ['meter-3', 'meter-4'])
      await page.locator('.space > .grid-row', { hasText: identity }).getByRole('checkbox').check()
    await page.getByRole('button', { name: 'Do' }).click()
    await page.getByRole('button', { name: 'End secure sessions…' }).click()
    await page.getByRole('button', { name: 'End secure sessions', exact: true }).click()
    await page.getByText('Done for 2 sensors.').waitFor()
    for (const meter of meters) await isOver(meter)
  })
})

it('the times of handshakes are told by the bounds within which they lie', () => {
  const times = { bounds: [0.01, 0.1, 1], counts: [5, 9, 10], sum: 1, count: 10 }
  expect(timesInWords('psk', times)).toBe('with keys: within 10 ms, 95 of 100 within 1 s')
  const slow = { bounds: [0.01, 0.1, 1], counts: [0, 0, 2], sum: 9, count: 4 }
  expect(timesInWords('resumed', slow)).toBe('resumed: within 1 s, 95 of 100 over 1 s')
})
