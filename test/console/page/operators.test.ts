// What operators do on the console page: names and tags, several at once, dead letters, topics, settings, downloads.

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { SettingsDoor } from '../../../src/console/api/settings-routes.ts'
import { startConsole } from '../../../src/console/server.ts'
import { eventually, haveChromium, inChromium, openBrowser, visit } from '../browser.ts'
import { FakeView } from '../fake-view.ts'

const now = Date.now()
const deadLetter = {
  token: 1,
  topic: 'secret/room',
  qos: 1,
  retain: false,
  octets: 12,
  at: now,
  why: 'refused',
} as const

describe.skipIf(!haveChromium)(`operators on the console page, ${inChromium}`, () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  async function open(
    path: string,
    sensors = 20,
    settings?: SettingsDoor,
    prepare = (_view: FakeView) => {},
  ) {
    const view = new FakeView(sensors)
    prepare(view)
    const served = await startConsole(view, { url: 'http://127.0.0.1:0', metrics: async () => '', settings })
    onTestFinished(() => served.close())
    return { view, url: served.url, ...(await visit(browser, served.url, `/#/${path}`)) }
  }

  it('give a sensor a name and tags, and find it by them', async () => {
    const { page, go } = await open('sensor/meter-0005')
    await page.getByRole('button', { name: 'Name and tags…' }).click()
    await page.getByRole('dialog').getByLabel('Name').fill('Cellar, left')
    await page.getByRole('dialog').getByLabel('Tags').fill('cellar, cold cellar')
    await page.getByRole('button', { name: 'Keep' }).click()
    await page.locator('.title').getByText('Cellar, left').waitFor()
    await page.locator('.title').getByRole('link', { name: 'cold' }).click()
    await eventually(() => page.locator('.found').textContent()).toBe('1 found')
    await page.locator('.c-id').getByText('Cellar, left').waitFor()
    await page.getByRole('button', { name: 'Tag cold ×' }).click()
    await eventually(() => page.locator('.found').textContent()).toBe('20 sensors')
    await go('#/sensors?topic=meter-0005')
    await eventually(() => page.locator('.found').textContent()).toBe('1 found')
  })

  it('do something with several sensors at once', async () => {
    const { view, page } = await open('sensors')
    await page.getByLabel('Choose meter-0000').check()
    await page.getByLabel('Choose meter-0005').check()
    await page.getByText('2 sensors chosen').waitFor()
    await page.getByRole('button', { name: 'Do', exact: false }).last().click()
    await page.getByRole('button', { name: 'Disconnect…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Disconnect' }).click()
    await page.getByText('Done for 2 sensors.').waitFor()
    expect(view.acts.map(({ clientId, action }) => [clientId, action.type])).toEqual([
      ['meter-0000', 'disconnect'],
      ['meter-0005', 'disconnect'],
    ])
    await page.getByLabel('Choose all that are found').check()
    await page.getByText('20 sensors chosen').waitFor()
    await page.getByRole('button', { name: 'Choose none' }).click()
    expect(await page.getByText('chosen').count()).toBe(0)
  })

  it('see dead letters of all sensors, send them again, or discard them', async () => {
    const { view, page } = await open('dead-letters', 20, undefined, (fake) => {
      fake.alter('meter-0005', { deadLetters: [deadLetter] })
      fake.alter('valve-0006', { deadLetters: [deadLetter] })
    })
    await page.getByText('Refused by the broker').first().waitFor()
    await page.getByLabel('Choose all of valve-0006').check()
    await page.getByRole('button', { name: 'Send again…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Send them again' }).click()
    await page.getByText('They are on their way.').waitFor()
    await page.getByRole('button', { name: 'Choose all' }).click()
    await page.getByRole('button', { name: 'Discard…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Discard them' }).click()
    await page.getByText('There are no dead letters').waitFor()
    expect(view.acts.map(({ clientId, action }) => `${clientId} ${action.type}`)).toEqual([
      'valve-0006 resendDeadLetters',
      'meter-0005 discardDeadLetters',
      'valve-0006 discardDeadLetters',
    ])
  })

  it('see topics with their last value, and the sensor that it came from', async () => {
    const { page } = await open('topics', 20, undefined, (fake) =>
      fake.liveTopics.push({
        ...{
          topic: 'hall/meter-0000/celsius',
          direction: 'up',
          times: 12,
          perMinute: 2,
          qos: 1,
          retain: false,
        },
        ...{ firstAt: now, lastAt: now, clientId: 'meter-0000', octets: 4, payload: '32312e35' },
      }),
    )
    const row = page.locator('tr', { hasText: 'hall/meter-0000/celsius' })
    await row.getByText('“21.5”').waitFor()
    expect(await row.locator('td').allTextContents()).toEqual(expect.arrayContaining(['2.0/min', '12']))
    await row.getByRole('link', { name: 'meter-0000' }).click()
    await page.getByRole('heading', { name: 'meter-0000' }).waitFor()
  })

  it('see on the page of a sensor what is refused, in red, with the key and the docs', async () => {
    const { page } = await open('sensor/meter-0005', 20, undefined, (fake) =>
      fake.alter('meter-0005', {
        findings: [
          {
            ...{
              id: 'refused',
              tone: 'bad',
              text: 'The broker refuses its login.',
              key: 'sensors[].username',
            },
            ...{ next: 'Compare the passwords.', docs: '/docs/operation#login-refused' },
          },
        ],
        published: [
          {
            ...{ topic: 'hall/x', times: 9, firstAt: now, lastAt: now, perMinute: 3, octets: 4, qos: 1 },
            ...{ refused: 2, lastCode: 2, lastRefusal: 'rejected: invalid topic id' },
          },
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
      }),
    )
    await page.getByRole('heading', { name: 'One thing is wrong.' }).waitFor()
    const finding = page.locator('.why li', { hasText: 'The broker refuses its login.' })
    await finding.getByText('sensors[].username').waitFor()
    expect(await finding.getByText('How to mend it').getAttribute('href')).toBe(
      'docs/operation#login-refused',
    )
    await page.getByText('Refused 2 times, last: rejected: invalid topic id').waitFor()
    const arrow = page.locator('.arrows li[data-refused]')
    await arrow.getByText('hall/x · unknown topic number').waitFor()
    const red = 'rgb(187, 42, 37)'
    expect(
      await page.evaluate(`getComputedStyle(document.querySelector('.arrows [data-refused] b')).color`),
    ).toBe(red)
    await page.getByRole('button', { name: 'Send message…' }).click()
    const suggested = page.locator('#known-topics option[value="hall/meter-0005/celsius"]')
    expect(await suggested.count()).toBe(1)
  })

  it('check the file of the configuration, and load it again', async () => {
    const setting = { default: 1, text: 'A sentence about it.', restart: false }
    const report = {
      valid: true,
      problems: [],
      warnings: [],
      applied: ['limits.sensors'],
      waiting: ['broker.url'],
    }
    const problem = { path: 'broker.url', line: 4, text: 'is not a url' }
    const door: SettingsDoor = {
      report: () => ({
        file: '/etc/gateway.config.json',
        reloadable: true,
        settings: [
          { ...setting, path: 'limits.sensors', value: 2, changed: true },
          { ...setting, path: 'log.level', value: 1, changed: false, restart: true },
        ],
      }),
      check: () => ({ ...report, valid: false, problems: [problem] }),
      reload: async () => ({ ...report, ended: ['meter-0001'] }),
    }
    const { page } = await open('config', 5, door)
    await page.getByText('limits.sensors').waitFor()
    expect(await page.getByText('log.level').count()).toBe(0)
    await page.getByLabel('Only what differs from the default').uncheck()
    await page.getByText('A change takes effect at the next start.').waitFor()
    await page.getByRole('button', { name: 'Check the file' }).click()
    await page.getByText('Line 4:').waitFor()
    await page.getByRole('button', { name: 'Load it again…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Load it' }).click()
    await page.getByText('The file was loaded: 1 key took effect.').waitFor()
    await page
      .locator('.file-report', { hasText: 'Waits for the next start:' })
      .getByText('broker.url')
      .waitFor()
  })

  it.each(['sensors', 'events', 'drops', 'dead-letters', 'topics'])(
    'download what is on the page "%s", for a spreadsheet and for programs',
    async (name) => {
      const { page, url } = await open(name)
      const links = page.locator('.export a')
      await links.first().waitFor()
      const paths = await Promise.all((await links.all()).map((link) => link.getAttribute('href')))
      expect(paths).toHaveLength(2)
      const types = await Promise.all(
        paths.map(async (path) => {
          const { status, headers } = await fetch(`${url}/${path}`)
          return [status, headers.get('content-type')?.split(';')[0]]
        }),
      )
      expect(types).toEqual([
        [200, 'text/csv'],
        [200, 'application/json'],
      ])
    },
  )
})
