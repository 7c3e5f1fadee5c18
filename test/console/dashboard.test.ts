// What is in deploy/: a dashboard and alert rules that speak of metrics that exist, in language that Prometheus takes.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createMetrics } from '../../src/console/metrics/metrics.ts'
import { havePromtool } from '../support/promtool.ts'
import { PAIR, scriptedView } from './scripted-view.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (name: string) => readFileSync(join(root, name), 'utf8')
const promtool = (...args: string[]) => execFileSync('promtool', args, { encoding: 'utf8', stdio: 'pipe' })

interface Panel {
  id: number
  type: string
  title: string
  gridPos: { x: number; y: number; w: number; h: number }
  targets?: { expr: string; legendFormat: string }[]
}
interface Dashboard {
  title: string
  uid: string
  panels: Panel[]
  templating: { list: { name: string; query: unknown }[] }
}

const dashboard: Dashboard = JSON.parse(read('deploy/grafana-dashboard.json'))
const queries = dashboard.panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr, legendFormat }) => ({ title, expr, legendFormat })),
)
const alerts = read('deploy/alerts.yml')

/** Metrics that exist, and their labels. */
async function known(): Promise<Map<string, Set<string>>> {
  const view = scriptedView()
  view.now.cluster = PAIR
  const metrics = createMetrics(view)
  await metrics.text()
  await new Promise((resolve) => setImmediate(resolve))
  const found = new Map<string, Set<string>>()
  for (const [, name = '', labels = ''] of (await metrics.text()).matchAll(
    /^([a-z]\w+)(?:\{(.*)\})? \S+$/gm,
  )) {
    const names = found.get(name) ?? new Set(['job', 'instance'])
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) names.add(label)
    found.set(name, names)
  }
  return found
}

const metricsIn = (text: string) =>
  [...text.matchAll(/\b(?:mqttsn|process|nodejs)_\w+/g)].map(([name]) => name)

/** What asks for metrics or labels that do not exist. */
function unknown(text: string, metrics: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const names = metricsIn(text).filter((name) => !metrics.has(name))
  const labels = [...text.matchAll(/\b(\w+)\{([^{}]*)\}/g)].flatMap(([, name = '', inside = '']) =>
    [...inside.matchAll(/(\w+)=~?"/g)]
      .map(([, label = '']) => label)
      .filter((label) => metrics.get(name)?.has(label) === false)
      .map((label) => `${name}{${label}}`),
  )
  return [...names, ...labels]
}

describe('the Grafana dashboard', () => {
  it('asks only for metrics and labels that exist', async () => {
    const metrics = await known()
    expect(queries.length).toBeGreaterThan(25)
    expect(queries.flatMap(({ expr }) => unknown(expr, metrics))).toEqual([])
    expect(unknown('mqttsn_nothing + mqttsn_sensors{clientId="x"}', metrics)).toEqual([
      'mqttsn_nothing',
      'mqttsn_sensors{clientId}',
    ])
  })

  it('shows every metric of the gateway', async () => {
    const shown = new Set(metricsIn(JSON.stringify(dashboard)))
    const all = [...(await known()).keys()].filter((name) => name.startsWith('mqttsn_'))
    const histogram = /_(?:sum|count)$/
    expect(all.filter((name) => !shown.has(name) && !histogram.test(name))).toEqual([])
  })

  it.skipIf(!havePromtool)('asks in the language of Prometheus', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mqttsn-rules-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const check = (expressions: string[]) => {
      const rules = expressions.map((expr, i) => ({
        record: `query:number_${i}`,
        expr: expr.replaceAll('$__rate_interval', '5m').replaceAll(/\$\w+/g, 'x'),
      }))
      const file = join(folder, 'rules.yml')
      writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }))
      return promtool('check', 'rules', file)
    }
    expect(check(queries.map(({ expr }) => expr))).toContain(`SUCCESS: ${queries.length} rules found`)
    expect(() => check(['sum by (mqttsn_sensors'])).toThrow()
  })

  it('is put together well', () => {
    const { panels, templating } = dashboard
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    expect(templating.list.map(({ name }) => name)).toEqual(['datasource', 'job', 'instance'])
    for (const { title, type, gridPos, targets = [] } of panels) {
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24)
      expect(targets.length > 0, title).toBe(type !== 'row')
    }
    const overlapping = panels.flatMap((a) =>
      panels
        .filter((b) => b.id > a.id && overlap(a.gridPos, b.gridPos))
        .map((b) => `${a.title} and ${b.title}`),
    )
    expect(overlapping).toEqual([])
    for (const { title, expr } of queries) expect(expr, title).toContain('job=~"$job", instance=~"$instance"')
  })
})

const overlap = (a: Panel['gridPos'], b: Panel['gridPos']) =>
  a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h

describe('the alert rules', () => {
  it('ask only for metrics and labels that exist', async () => {
    const metrics = await known()
    expect(metricsIn(alerts).length).toBeGreaterThan(14)
    expect(unknown(alerts, metrics)).toEqual([])
  })

  it('know only reasons that the gateway gives', () => {
    const [, reasons = ''] = /reason=~"([^"]+)"/.exec(alerts) ?? []
    const given = read('src/session/events.ts')
    expect(reasons.split('|').filter((reason) => !given.includes(`| '${reason}'`))).toEqual([])
    expect(reasons).toContain('queue-full')
  })

  it.skipIf(!havePromtool)('satisfy promtool, each with severity, summary and what to do', () => {
    const [, count] =
      /SUCCESS: (\d+) rules found/.exec(promtool('check', 'rules', join(root, 'deploy/alerts.yml'))) ?? []
    for (const part of ['severity: ', 'summary: ', 'description: '])
      expect(alerts.split(part).length - 1, part).toBe(Number(count))
  })

  it.skipIf(!havePromtool)('fire when they should and not before', () => {
    const file = join(root, 'test/console/alerts.test.yml')
    expect(promtool('test', 'rules', file)).toContain('SUCCESS')
  })
})
