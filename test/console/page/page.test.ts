// The console page in a real browser, over the real server, with a gateway that only exists for it: 5,000 sensors.

import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Console, startConsole } from '../../../src/console/server.ts'
import { until } from '../../support/gateway.ts'
import { eventually, haveChromium, inChromium, openBrowser, visit } from '../browser.ts'
import { FakeView } from '../fake-view.ts'
import { PAGES } from './pages.ts'

const metrics = async () => ''
/** An action from the menu of a sensor's page. */
async function choose(page: Page, action: string): Promise<void> {
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('button', { name: action }).click()
}

describe.skipIf(!haveChromium)(`the console page, ${inChromium}`, () => {
  const view = new FakeView(5000)
  let console: Console
  let browser: Browser

  beforeAll(async () => {
    console = await startConsole(view, { url: 'http://127.0.0.1:0', metrics })
    browser = await openBrowser()
  })

  afterAll(async () => {
    await browser?.close()
    await console?.close()
  })

  /** A console of its own, for a test that changes what all would see. */
  async function ownConsole(sensors: number) {
    const own = new FakeView(sensors)
    const served = await startConsole(own, { url: 'http://127.0.0.1:0', metrics })
    onTestFinished(() => served.close())
    return { own, url: served.url }
  }

  it('says at a glance whether all is well, and what to do if it is not', async () => {
    const { own, url } = await ownConsole(50)
    const { page } = await visit(browser, url)
    await page.getByRole('heading', { name: 'Everything works.' }).waitFor()
    await page.locator('.check-card', { hasText: 'Sensors' }).getByText('50', { exact: true }).waitFor()
    await page.locator('canvas').nth(3).waitFor()
    own.change('meter-0000', 'lost', 'keep-alive passed')
    await page.locator('.log').getByText('keep-alive passed').waitFor()
    own.healthy = false
    await page.getByRole('heading', { name: 'The broker cannot be reached.' }).waitFor()
    await page.getByText('See whether it runs at mqtt://broker.example:1883').waitFor()
  })

  it('draws rates as they change', async () => {
    const { own, url } = await ownConsole(2000)
    own.run(50)
    onTestFinished(() => own.stop())
    const { page } = await visit(browser, url)
    const incoming = page.locator('.chart', { hasText: 'Network of the sensors' }).locator('output').first()
    await eventually(() => incoming.textContent()).toMatch(/^\d{2,}/)
    await page.getByRole('button', { name: '2 min' }).click()
    await expect(
      page.getByRole('img', { name: /over the last 2 minutes; now in \d+/ }).count(),
    ).resolves.toBe(1)
  })

  it('lists 5,000 sensors with a few dozen rows, from the first to the last', async () => {
    const { page } = await visit(browser, console.url, '/#/sensors')
    const grid = page.getByRole('grid')
    await page.getByText('button-0004').waitFor()
    expect(await grid.getAttribute('aria-rowcount')).toBe('5001')
    await page.keyboard.press('End')
    await page.getByText('valve-4996').waitFor()
    await page.evaluate("document.querySelector('.grid').scrollTop = 2500 * 38")
    await page.locator('[aria-rowindex="2502"]', { hasText: 'meter-2500' }).waitFor()
    for (let top = 0; top < 60_000; top += 3000) {
      await page.evaluate(`document.querySelector('.grid').scrollTop = ${top}`)
    }
    await page.locator('[aria-rowindex="1502"] a:visible').waitFor()
    expect(await page.locator('.space > .grid-row').count()).toBeLessThan(60)
  })

  it('finds, filters and sorts sensors, and keeps it in the address', async () => {
    const { page } = await visit(browser, console.url, '/#/sensors')
    const rows = page.locator('.space > .grid-row:visible')
    await page.getByLabel('Search sensors').fill('VALVE-012')
    await eventually(() => page.locator('.found').textContent()).toBe('2 found')
    await eventually(() => rows.allTextContents()).toHaveLength(2)
    await page.getByLabel('Search sensors').fill('')
    await page.getByRole('button', { name: /^Lost/ }).click()
    const lost = view.sensors({ state: 'lost', offset: 0, limit: 1 }).total
    await eventually(() => page.locator('.found').textContent()).toBe(`${lost} found`)
    await page.getByRole('button', { name: /^All/ }).click()
    await page.getByRole('columnheader', { name: 'Queue' }).getByRole('button').click()
    await eventually(() => rows.first().locator('.c-queue').textContent()).toBe('5')
    expect(new URL(page.url()).hash).toBe('#/sensors?sort=queued&descending=1')
    await page.reload()
    await eventually(() => rows.first().locator('.c-queue').textContent()).toBe('5')
    await page.getByLabel('Search sensors').fill('no such thing')
    await page.getByText('No sensor matches “no such thing”').waitFor()
    await page.getByRole('button', { name: 'Show all sensors' }).click()
    await eventually(() => page.locator('.found').textContent()).toBe('5,000 sensors')
  })

  it('shows a change of state in the list at once', async () => {
    const { own, url } = await ownConsole(20)
    const { page } = await visit(browser, url, '/#/sensors')
    const row = page.locator('.space > .grid-row', { hasText: 'meter-0010' })
    await row.waitFor()
    // From now on the list itself gets no answer: what changes, changes by an event.
    await page.route('**/api/sensors?*', () => {})
    own.change('meter-0010', 'lost', 'keep-alive passed')
    await row.getByText('Lost').waitFor()
    own.change('meter-0010', 'active', 'accepted by the broker')
    await row.getByText('Active').waitFor()
  })

  it('is used with the keyboard alone', async () => {
    const { page } = await visit(browser, console.url)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.keyboard.press('/')
    await page.getByLabel('Search sensors').waitFor()
    await page.keyboard.type('door-00')
    await eventually(() => page.locator('.found').textContent()).toBe('20 found')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('k')
    const selected = page.locator('[aria-selected="true"]')
    await eventually(() => selected.locator('.c-id').textContent()).toBe('door-0007')
    expect(await page.getByRole('grid').getAttribute('aria-activedescendant')).toBe(
      await selected.getAttribute('id'),
    )
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'door-0007' }).waitFor()
    await page.keyboard.press('Escape')
    await eventually(() => new URL(page.url()).hash).toBe('#/sensors?search=door-00')
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Help' }).waitFor()
    await page.getByLabel('Single keys do something').uncheck()
    await page.keyboard.press('Escape')
    await page.getByRole('grid').focus()
    await page.keyboard.press('?')
    expect(await page.getByRole('dialog').count()).toBe(0)
  })

  it('draws the conversation of a sensor, each message with its fields and octets', async () => {
    const { page } = await visit(browser, console.url, '/#/sensor/meter-0000')
    await page.getByText('CONNACK').waitFor()
    await until(() => view.watched === 1)
    const publish = {
      type: 'publish',
      dup: false,
      qos: 1,
      retain: false,
      topicIdType: 'normal',
      topicId: 1,
      msgId: 7,
      data: Buffer.from('21.5'),
    } as const
    view.say('meter-0000', 'received', publish, 'hall/meter-0000/celsius')
    view.say('meter-0000', 'received', { ...publish, dup: true }, 'hall/meter-0000/celsius', true)
    view.say('meter-0000', 'sent', { type: 'puback', topicId: 1, msgId: 7, returnCode: 0 })
    const arrows = page.locator('.arrows li')
    const [first, again, answer] = [arrows.nth(-3), arrows.nth(-2), arrows.nth(-1)]
    await answer.getByText('PUBACK').waitFor()
    expect(await first.locator('.label').textContent()).toBe(
      'PUBLISHhall/meter-0000/celsius · QoS 1 · “21.5”',
    )
    expect(await first.getAttribute('data-direction')).toBe('received')
    expect(await again.textContent()).toContain('again')
    expect(await answer.getAttribute('data-direction')).toBe('sent')
    await first.getByRole('button').click()
    await first.getByText('MsgId    0007').waitFor()
    await first.getByText('0000  0b 0c 20 00 01 00 07 32 31 2e 35').waitFor()
    await page.keyboard.press('p')
    view.say('meter-0000', 'received', { type: 'pingreq', clientId: null })
    await page.getByRole('button', { name: 'Go on (1 new)' }).click()
    await arrows.last().getByText('PINGREQ').waitFor()
    await page.goto(`${console.url}/#/drops`)
    await until(() => view.watched === 0)
  })

  it('acts on a sensor only after a question', async () => {
    const { own, url } = await ownConsole(20)
    const { page } = await visit(browser, url, '/#/sensor/meter-0005')
    await choose(page, 'Disconnect…')
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    expect(own.acts).toEqual([])
    await page.getByRole('button', { name: 'Send message…' }).click()
    await page.getByLabel('Topic').fill('hall/meter-0005/set')
    await page.getByRole('textbox', { name: 'Message' }).fill('0aff')
    await page.getByLabel('Written as').selectOption('hex')
    await page.getByRole('dialog').getByRole('button', { name: 'Send' }).click()
    await page.getByText('The message about hall/meter-0005/set is on its way.').waitFor()
    const payload = new Uint8Array([0x0a, 0xff])
    expect(own.acts).toEqual([
      {
        clientId: 'meter-0005',
        action: { type: 'publish', topic: 'hall/meter-0005/set', payload, qos: 1, retain: false },
      },
    ])
    await choose(page, 'Disconnect…')
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click()
    await page.getByText('It gets none: it is not connected.').waitFor()
    expect(own.acts.at(-1)?.action).toEqual({ type: 'disconnect' })
  })

  it('says so when an action cannot be done, and when a sensor is not known', async () => {
    const { own, url } = await ownConsole(20)
    const { page, errors } = await visit(browser, url, '/#/sensor/meter-0005')
    await choose(page, 'Disconnect…')
    own.change('meter-0005', 'lost', 'keep-alive passed') // while the question is asked
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click()
    await page.getByText(/^It was not done: /).waitFor()
    await page.getByRole('button', { name: 'More' }).click()
    expect(await page.getByRole('button', { name: 'Disconnect…' }).count()).toBe(0)
    await page.getByRole('button', { name: 'Forget…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Forget it' }).click()
    await page.getByText('The gateway does not know this sensor').waitFor()
    // The browser itself writes a line for every answer above 399.
    expect(errors.every((text) => /status of (404|409)/.test(text))).toBe(true)
    errors.length = 0
  })

  it('says what to do while no sensor has connected', async () => {
    const { url } = await ownConsole(0)
    const { page } = await visit(browser, url, '/#/sensors')
    await page.getByText('mqttsn sensor thermometer --gateway udp://127.0.0.1:1884').waitFor()
  })

  it('explains words where they stand, to the pointer and to the keyboard', async () => {
    const { page } = await visit(browser, console.url, '/#/connections')
    await page.getByText('Waiting for their turn').hover()
    await page.getByRole('tooltip', { name: '' }).getByText('so that a broker that comes back').waitFor()
    await page.keyboard.press('Escape')
    expect(await page.getByRole('tooltip').count()).toBe(0)
    await page.getByText('Being opened').focus()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Shift+Tab')
    await page.getByRole('tooltip').getByText('being opened right now').waitFor()
  })

  it('fits a telephone: no page is wider than 400 pixels', async () => {
    const viewport = { width: 400, height: 800 }
    const { page, go } = await visit(browser, console.url, '/', { viewport })
    for (const name of PAGES) {
      await go(`#/${name}`)
      await page.locator('main h1:visible').first().waitFor()
      const wide = await page.evaluate(
        "[...document.querySelectorAll('main, main *')].filter((e) => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX === 'visible' && e.getBoundingClientRect().right + e.scrollWidth - e.clientWidth > innerWidth + 1).map((e) => e.outerHTML.slice(0, 120))",
      )
      expect({ name, wide, scroll: await page.evaluate('document.documentElement.scrollWidth') }).toEqual({
        name,
        wide: [],
        scroll: 400,
      })
    }
  })

  it('gives every control a name, and every page one heading', async () => {
    const { page, go } = await visit(browser, console.url)
    for (const name of PAGES) {
      await go(`#/${name}`)
      await page.locator('main h1:visible').first().waitFor()
      const nameless = await page.evaluate(
        "[...document.querySelectorAll('button, a[href], input, select, textarea')].filter((e) => e.checkVisibility() && !(e.getAttribute('aria-label') || e.textContent.trim() || e.closest('label')?.textContent.trim())).map((e) => e.outerHTML)",
      )
      expect({ name, nameless, headings: await page.locator('h1:visible').count() }).toEqual({
        name,
        nameless: [],
        headings: 1,
      })
    }
  })

  it.each(['light', 'dark'] as const)('has enough contrast in %s colours', async (colorScheme) => {
    const { page } = await visit(browser, console.url, '/#/words', { colorScheme })
    await page.getByRole('heading', { name: 'Words' }).waitFor()
    // Text needs 4.5 to 1 [WCAG 2.1, 1.4.3]; the canvas turns every notation of a colour into numbers.
    const ratios = await page.evaluate(`(() => {
      const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true })
      const probe = document.body.appendChild(document.createElement('span'))
      const light = (name) => {
        probe.style.color = 'var(--' + name + ')'
        canvas.fillStyle = getComputedStyle(probe).color
        canvas.fillRect(0, 0, 1, 1)
        const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b
      }
      const inks = ['text', 'muted', 'accent', 'good', 'note', 'warn', 'bad', 'sleep', 'busy', 'off', 'one', 'two', 'three']
      return inks.flatMap((ink) => ['panel', 'ground', 'hover', 'marked'].map((ground) => {
        const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x)
        return { pair: ink + ' on ' + ground, ratio: (a + 0.05) / (b + 0.05) }
      }))
    })()`)
    const weak = (ratios as { pair: string; ratio: number }[]).filter(({ ratio }) => ratio < 4.5)
    expect(weak).toEqual([])
  })

  it('changes its colours on request, and remembers it', async () => {
    const { page } = await visit(browser, console.url, '/', { colorScheme: 'light' })
    const ground = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
    const before = await ground()
    await page.locator('#theme').click()
    await page.locator('#theme').click()
    expect(await page.locator('#theme').getAttribute('aria-label')).toBe('Dark colours')
    const dark = await ground()
    expect(dark).not.toBe(before)
    await page.reload()
    expect(await ground()).toBe(dark)
  })
})
