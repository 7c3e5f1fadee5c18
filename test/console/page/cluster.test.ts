// The nodes of a cluster on the page: in a real browser, and what is found wrong with them without one.

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { docsOf } from '../../../src/console/contract/docs.ts'
import { clusterTroubles, ofCluster } from '../../../src/console/page/data/cluster-health.ts'
import { startConsole } from '../../../src/console/server.ts'
import { eventually, haveChromium, inChromium, openBrowser, visit } from '../browser.ts'
import { FakeView } from '../fake-view.ts'
import { severalNodes } from '../several-nodes.ts'
import { cluster } from './nodes.ts'

describe.skipIf(!haveChromium)(`the page of a cluster, ${inChromium}`, () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  async function open(nodes: FakeView['clusterInfo'], path: string, width = 1280) {
    const view = new FakeView(10)
    view.clusterInfo = nodes
    view.cluster = () => view.clusterInfo
    const console = await startConsole(view, { url: 'http://127.0.0.1:0', metrics: async () => '' })
    onTestFinished(() => console.close())
    const visited = await visit(browser, console.url, path, {
      viewport: { width, height: width < 500 ? 2400 : 1500 },
    })
    visited.page.setDefaultTimeout(10_000)
    const shots = process.env['MQTTSN_TEST_SCREENSHOTS']
    const shoot = async (name: string) => {
      if (shots !== undefined) await visited.page.screenshot({ path: `${shots}/${name}.png`, fullPage: true })
    }
    return { view, shoot, ...visited }
  }

  it('shows every node with its state, lease, version and slots, and follows what becomes of them', async () => {
    const { view, page, shoot } = await open(cluster(), '/#/cluster')
    const nodes = page.getByRole('region', { name: 'Nodes', exact: true })
    const row = nodes.getByRole('row', { name: /^gw-3/ })
    for (const text of ['Serves', '4.2 s', '1.4.0', '10.0.0.13:1886', 'the same'])
      await row.getByText(text, { exact: true }).waitFor()
    await page.getByText('Each serves its share of the sensors: gw-1, gw-2, gw-3.').waitFor()
    await shoot('well')
    view.clusterInfo = cluster({ leaseLeft: -61_000, differences: ['broker.url', 'queues'] })
    await row.getByText('Gone').waitFor()
    await row.getByText('over for 1 min 1 s').waitFor()
    await row.getByText('differs: broker.url, queues').waitFor()
    await page.getByText(/Nobody serves 341 of 1,024 slots \(of gw-3\)/).waitFor()
    await shoot('gone')
  })

  it('has a picture of who serves which slots, which says the same in words', async () => {
    const { page } = await open(cluster({ free: 24 }), '/#/cluster')
    const picture = page.getByRole('img', { name: /^Owners of the 1,024 slots: / })
    const words = await picture.getAttribute('aria-label')
    expect(words).toMatch(/gw-1 \d+, gw-2 \d+, gw-3 \d+, nobody 24$/)
    const legend = page.getByRole('list', { name: 'Slots by owner' }).locator('li')
    const told = (await legend.locator('b').allTextContents()).map(Number)
    expect(told.reduce((sum, one) => sum + one, 0)).toBe(1024)
    // as many squares of each colour as the legend says
    const areas = (await picture.locator('path').evaluateAll((paths) =>
      paths.map((path) => {
        const runs = path.getAttribute('d')?.matchAll(/h(\d+)v1/g) ?? []
        return [...runs].reduce((sum, [, length]) => sum + Number(length), 0)
      }),
    )) as number[]
    expect(areas).toEqual(told)
  })

  it('tells of links, refused connections and the database', async () => {
    const trouble = { linkWhy: 'connect ECONNREFUSED 10.0.0.13:1886', refused: true, replicated: false }
    const { page, shoot } = await open(cluster(trouble), '/#/cluster')
    const links = page.getByRole('region', { name: 'Links' })
    await links.getByRole('row', { name: /^gw-2 up/ }).waitFor()
    await links.getByRole('row', { name: /^gw-3 down: connect ECONNREFUSED/ }).waitFor()
    await page.getByText('3, the last 9 s ago: 10.0.0.99 as gw-9, it does not know the secret').waitFor()
    await page.getByText('no: it has no synchronous standby').waitFor()
    await page.getByText('db1.example:5432').waitFor()
    await shoot('trouble')
    const narrow = await open(cluster(trouble), '/#/cluster', 390)
    await narrow.page.getByRole('region', { name: 'Links' }).waitFor()
    await narrow.shoot('narrow')
  })

  it('is in the navigation and on the overview where there is a cluster, and only there', async () => {
    const { page, shoot } = await open(cluster({ linkWhy: 'it does not answer' }), '/')
    const card = page.locator('.check-card', { hasText: 'Cluster' })
    await card.getByText('3 nodes').waitFor()
    await page.getByText('Node gw-1, version').waitFor()
    await eventually(() => page.locator('.verdict').getAttribute('data-tone')).toBe('bad')
    await page.getByRole('heading', { name: /^No link to node gw-3/ }).waitFor()
    await shoot('overview')
    await page.getByRole('link', { name: 'Cluster', exact: true }).click()
    await page.getByRole('heading', { name: 'Cluster', exact: true }).waitFor()
    const alone = await open(undefined, '/#/cluster')
    await alone.page.getByRole('heading', { name: 'This gateway is alone' }).waitFor()
    expect(await alone.page.getByRole('link', { name: 'Cluster', exact: true }).count()).toBe(0)
  })

  it('is one of pages that list the sensors of all nodes, whichever is looked at, and name a node that is silent', async () => {
    const { at, cut } = await severalNodes({ info: cluster() })
    const { page, go } = await visit(browser, at('gw-1').console.url, '/#/sensors')
    await eventually(() => page.locator('.found').textContent()).toBe('30 sensors')
    for (const [clientId, node] of [
      ['valve-0001', 'gw-2'],
      ['meter-0000', 'gw-1'],
    ] as const) {
      await go(`#/sensor/${clientId}`)
      await page.getByRole('heading', { name: clientId, exact: true }).waitFor()
      await page.getByRole('heading', { name: 'Conversation' }).waitFor()
      await page
        .getByText(node ?? '', { exact: true })
        .first()
        .waitFor()
    }
    cut.add('gw-3')
    await page.getByText('Not here: what node gw-3 has, since it does not answer.').waitFor()
    cut.delete('gw-3')
    await page.getByRole('alert').filter({ hasText: 'Not here' }).waitFor({ state: 'hidden' })
  })

  it('tells of one that stands by what it waits for', async () => {
    const pair = cluster({ shared: false, others: 1, hindrance: 'standing by: node gw-2 serves' })
    const { page } = await open({ ...pair, state: 'standby' }, '/#/cluster')
    await page.getByText('standing by: node gw-2 serves', { exact: true }).waitFor()
    await page.getByText('Stands by').first().waitFor()
  })
})

describe('what is found wrong with a cluster', () => {
  it('is nothing where all is well', () => {
    for (const well of [cluster(), cluster({ shared: false, others: 1 })]) {
      expect(clusterTroubles(well)).toEqual([])
      expect(ofCluster(well).tone).toBe('good')
    }
  })

  it.each([
    ['no other node', cluster({ others: 0 }), 'warn', /no other node/, 'node-alone'],
    ['nobody stands by', cluster({ shared: false, others: 0 }), 'warn', /No node stands by/, 'node-alone'],
    ['a link that is down', cluster({ linkWhy: 'gone' }), 'bad', /No link to node gw-3.*gone/, 'node-links'],
    ['a link that is full', cluster({ underWay: 16_000 }), 'warn', /does not keep up: 16,000/, 'node-links'],
    ['a stranger', cluster({ refused: true }), 'warn', /refused 9 s ago.*the secret/, 'node-links'],
    ['other settings', cluster({ differences: ['timers'] }), 'warn', /gw-3.*timers/, 'nodes-differ'],
    ['an upgrade', cluster({ version: '1.5.0' }), 'note', /1\.4\.0, 1\.5\.0/, 'nodes-differ'],
    ['one disk', cluster({ replicated: false }), 'warn', /no synchronous/, 'database-promises-less'],
    ['no database', cluster({ engine: 'no route' }), 'bad', /does not answer: no route/, 'store-fails'],
    ['slots of nobody', cluster({ free: 9 }), 'warn', /9 of 1,024 slots: /, 'slots-of-nobody'],
    ['a node that is gone', cluster({ leaseLeft: -9000 }), 'warn', /slots \(of gw-3\)/, 'slots-of-nobody'],
    ['and nobody takes its place', cluster({ leaseLeft: -90_000 }), 'bad', /\(of gw-3\)/, 'slots-of-nobody'],
    ['its own lease', cluster({ hindrance: 'it has run out' }), 'warn', /has run out/, 'standing-by'],
  ] as const)('names %s, with what to do and where to read on', (_, info, tone, text, subject) => {
    const found = clusterTroubles(info).find((one) => text.test(one.text))
    expect(found).toMatchObject({ tone, docs: docsOf(subject), next: expect.stringMatching(/\.$|[?]$/) })
    expect(ofCluster(info).tone).toBe(clusterTroubles(info)[0]?.tone)
  })
})
