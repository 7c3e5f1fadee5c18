// The benchmark in its smallest form: it must run and report. What it measures in a second is worth nothing, so no test
// looks at rates or times.

import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { type Row, summarizeRows } from '../../lab/bench/figures.ts'
import { Histogram } from '../../lab/bench/histogram.ts'
import { comparePairs, isAhead } from '../../lab/bench/ratios.ts'
import { judgeGoals, markdownReport, type Report } from '../../lab/bench/report.ts'
import { isForeign, wordsOf } from '../../lab/bench/rival.ts'
import { performancePage } from '../../lab/docs/performance.ts'
import { atSources, drawProfile, timeByPart } from '../../lab/docs/profile.ts'
import { hasSocat } from '../support/ptys.ts'

/** Runs it in a folder of its own, which must be empty of its temporary files afterwards. */
async function bench(...args: string[]): Promise<{ stdout: string; report: Report; markdown: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-bench-test-'))
  const files = { json: join(folder, 'bench.json'), markdown: join(folder, 'bench.md') }
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--import', 'tsx', 'lab/bench.ts', ...args, '--json', files.json, '--markdown', files.markdown],
      { env: { ...process.env, TMPDIR: folder } },
    )
    expect(readdirSync(folder).filter((name) => name.startsWith('mqttsn-bench-'))).toEqual([])
    const report = JSON.parse(readFileSync(files.json, 'utf8')) as Report
    return { stdout, report, markdown: readFileSync(files.markdown, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const figuresOf = ({ summaries }: Report, scenario: string) =>
  summaries.find((summary) => summary.scenario === scenario)?.figures

describe('npm run bench', { timeout: 90_000 }, () => {
  it.concurrent('measures uplinks and downlinks with the embedded broker, and reports', async () => {
    const { stdout, report, markdown } = await bench(
      ...['--smallest', '--broker', 'embedded', '--scenario', 'uplink-qos0,downlink-qos0'],
    )
    expect(report.skipped).toEqual({})
    for (const scenario of ['uplink-qos0', 'downlink-qos0']) {
      expect(figuresOf(report, scenario), scenario).toMatchObject({ rate: {}, p50: {}, p99: {} })
      expect(figuresOf(report, scenario)?.rate?.median, scenario).toBeGreaterThan(0)
      expect(stdout).toContain(scenario)
      expect(markdown).toContain(`| ${scenario}, `)
    }
    expect(report.broker).toContain('embedded')
  })

  it.skipIf(!hasSocat).concurrent(
    'measures the same messages by UDP and over a serial line (socat)',
    async () => {
      const { report } = await bench('--smallest', '--broker', 'embedded', '--scenario', 'pty')
      expect(report.skipped).toEqual({})
      expect(report.summaries.map(({ variant, figures }) => [variant, figures.lost?.median])).toEqual([
        ['udp', 0],
        ['pty', 0],
      ])
    },
  )

  it.concurrent('measures QoS 1, and sleepers, of whom none may miss a message', async () => {
    const { report } = await bench('--smallest', '-s', 'uplink-qos1', '-s', 'sleepers')
    expect(report.skipped).toEqual({})
    expect(report.summaries.map(({ scenario, runs }) => [scenario, runs])).toEqual([
      ['uplink-qos1', 1],
      ['sleepers', 1],
    ])
    expect(figuresOf(report, 'uplink-qos1')?.rate?.least).toBeGreaterThan(0)
    for (const scenario of ['uplink-qos1', 'sleepers']) {
      expect(figuresOf(report, scenario)?.missing, scenario).toEqual({ median: 0, least: 0, most: 0 })
    }
  })

  it.concurrent('takes turns with another build of the gateway, and tells the ratio of each pair', async () => {
    const { report, stdout, markdown } = await bench(
      ...['--smallest', '--broker', 'embedded', '-s', 'uplink-qos1', '--runs', '2'],
      ...['--against', `"${process.execPath}" --import tsx src/cli.ts`],
    )
    expect(report.skipped).toEqual({})
    const rate = report.against?.comparisons.find(({ figure }) => figure === 'rate')
    expect(rate?.theirs.median).toBeGreaterThan(0)
    expect(rate?.ratio?.most).toBeGreaterThan(0)
    expect(stdout).toContain('ratio of pairs')
    expect(markdown).toContain('| ratio of pairs |')
  })

  it.concurrent('takes turns with a foreign program, that is told its ports', async () => {
    const command = `"${process.execPath}" --import tsx src/cli.ts gateway --listen udp://127.0.0.1:{port} --broker mqtt://127.0.0.1:{broker-port}`
    const { report } = await bench(
      ...['--smallest', '--broker', 'embedded', '-s', 'uplink-qos1', '--against', command],
    )
    expect(report.skipped).toEqual({})
    const lost = report.against?.comparisons.find(({ figure }) => figure === 'lost')
    expect(lost?.theirs.median).toBe(0)
    expect(lost?.ratio).toBeUndefined()
  })

  it.concurrent('says which gateway does not start, and fails', async () => {
    await expect(
      bench('--smallest', '--broker', 'embedded', '-s', 'uplink-qos1', '--against', 'false {port}'),
    ).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining('the other gateway was left out: false'),
    })
  })

  it.concurrent('says what is wrong with its options, with exit code 2', async () => {
    await expect(bench('--scenario', 'nonsense')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('uplink-qos1'),
    })
    await expect(bench('--target', '127.0.0.1:1')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--broker'),
    })
  })
})

describe('the ratios of two gateways', () => {
  const row = (rate: number, lost: number): Row => ({
    scenario: 'uplink-qos1',
    variant: '',
    sensors: 500,
    figures: { rate, lost, cpu: undefined },
  })

  it('are those of pairs, so that a slow minute of the machine tells nothing', () => {
    const pairs = [
      { ours: [row(200, 0)], theirs: [row(100, 5)] },
      { ours: [row(20, 0)], theirs: [row(10, 1)] },
      { ours: [row(300, 0)], theirs: [row(100, 1)] },
    ]
    const [rate, lost] = comparePairs(pairs)
    expect(rate).toMatchObject({
      figure: 'rate',
      ratio: { least: 2, median: 2, most: 3 },
      ours: { median: 200 },
    })
    expect(lost).toMatchObject({ figure: 'lost', ratio: { median: 0 }, theirs: { median: 1 } })
    expect([rate, lost].map((one) => one && isAhead(one))).toEqual([true, true])
  })

  it('are not told of what only one of them has, nor divided by nothing', () => {
    expect(comparePairs([{ ours: [row(1, 1)], theirs: [] }])).toEqual([])
    const [, lost] = comparePairs([{ ours: [row(1, 2)], theirs: [row(1, 0)] }])
    expect(lost?.ratio).toBeUndefined()
    expect(lost && isAhead(lost)).toBe(false)
  })

  it('read a command line as a shell does, quotes and all', () => {
    expect(wordsOf(`node "a b.js" 'c d' --x={port}`)).toEqual(['node', 'a b.js', 'c d', '--x={port}'])
    expect(isForeign('node dist/src/cli.js')).toBe(false)
    expect(isForeign('gw -p {port}')).toBe(true)
  })
})

describe('the figures of the benchmark', () => {
  it('are quantiles within two percent, in bounded memory', () => {
    const histogram = new Histogram()
    expect(histogram.quantile(0.5)).toBeUndefined()
    for (let value = 1; value <= 1000; value += 1) histogram.add(value / 10)
    expect(Math.abs((histogram.quantile(0.5) ?? 0) / 50 - 1)).toBeLessThan(0.03)
    expect(Math.abs((histogram.quantile(0.99) ?? 0) / 99 - 1)).toBeLessThan(0.03)
    expect(histogram.quantile(1)).toBeLessThanOrEqual(100)
    histogram.add(1e12)
    expect(histogram.count).toBe(1001)
  })

  const row = (cpu: number, scenario = 'uplink-qos1', variant = ''): Row => ({
    scenario,
    variant,
    sensors: 500,
    figures: { cpu, p50: undefined },
  })
  const report: Report = {
    date: '2026-01-01',
    command: 'npm run bench',
    machine: 'a machine',
    node: '20',
    broker: 'a broker',
    seconds: 5,
    summaries: summarizeRows([row(30), row(10), row(20), row(10, 'bare', 'QoS 1')]),
    skipped: {},
  }

  it('are the median of all runs with the spread, and are judged by the goals', () => {
    expect(report.summaries).toMatchObject([
      { runs: 3, figures: { cpu: { median: 20, least: 10, most: 30 } } },
      { runs: 1, figures: { cpu: { median: 10 } } },
    ])
    expect(report.summaries[0]?.figures).not.toHaveProperty('p50')
    expect(judgeGoals(report)).toEqual([
      [expect.stringContaining('uplink-qos1, 500'), 'at most 18 µs', '20 (10-30)', 'missed'],
      [
        expect.stringContaining('uplink-qos1, 500'),
        'at most 17 µs (1.7 times bare C)',
        '20 (10-30)',
        'missed',
      ],
    ])
    const bare = row(10, 'bare', 'QoS 1')
    expect(
      judgeGoals({ ...report, summaries: summarizeRows([row(17), bare]) }).map(([, , , verdict]) => verdict),
    ).toEqual(['met', 'met'])
    // without the bare loop there is nothing to compare with
    expect(judgeGoals({ ...report, summaries: summarizeRows([row(17)]) })).toHaveLength(1)
  })

  it('compare with another gateway only what one run has measured, also where that is ahead', () => {
    const rowOf = (rate: number, p50: number): Row => ({
      scenario: 'uplink-qos1',
      variant: '',
      sensors: 500,
      figures: { rate, p50 },
    })
    const comparisons = comparePairs([{ ours: [rowOf(40_000, 12)], theirs: [rowOf(41_000, 6)] }])
    const command = 'npm run bench -- --against x'
    const page = performancePage(report, { ...report, command, against: { command: 'x', comparisons } })
    expect(page).toContain('| uplink-qos1, 500 | messages or connects, /s | 41,000 | 40,000 | 0.98 | no |')
    expect(page).toContain('|  | latency of half of them, at most, ms | 6 | 12 | 2 | no |')
    expect(page).toContain(`PAHO_GATEWAY=.../MQTT-SNGateway ${command}`)
  })

  it('make a page that holds the tables, machine, date and command', () => {
    const page = performancePage(report, report)
    expect(page).toContain(markdownReport(report))
    for (const text of ['2026-01-01', 'npm run bench', 'a machine', 'missed']) expect(page).toContain(text)
  })
})

describe('the picture of a profile', () => {
  const frame = (url: string, functionName: string) => ({ callFrame: { url, functionName } })
  const profile = {
    nodes: [
      { id: 1, ...frame('', '(root)'), children: [2, 3, 5] },
      { id: 2, ...frame('', '(idle)') },
      { id: 3, ...frame('file:///x/dist/src/session/handle.js', 'handle'), children: [4] },
      { id: 4, ...frame('', 'get') },
      { id: 5, ...frame('', '(garbage collector)') },
    ],
    samples: [3, 2, 4, 5, 2],
    timeDeltas: [0, 10, 20, 30, 35],
  }

  it('gives native functions to their callers, leaves idling out, and looks at the end only', () => {
    expect(timeByPart(profile)).toEqual([
      ['MQTT-SN: sessions', 40],
      ['garbage collection', 35],
    ])
    expect(timeByPart(profile, 35 / 1e6)).toEqual([['garbage collection', 35]])
  })

  it('shows what the system counted beyond that as outside of JavaScript', () => {
    expect(timeByPart({ ...profile, busy: 100 })).toContainEqual([
      'receiving datagrams, other calls outside JavaScript',
      20,
    ])
  })

  it('finds in a bundle the source file of each function', () => {
    const bundles = readdirSync('dist/src').filter((name) => name.endsWith('.js'))
    const found = bundles.flatMap((name) => {
      const file = resolve('dist/src', name)
      const lines = readFileSync(file, 'utf8').split('\n')
      const lineNumber = lines.findIndex((line) => line.startsWith('function handle('))
      const url = pathToFileURL(file).href
      const node = { id: 1, callFrame: { functionName: 'handle', url, lineNumber, columnNumber: 9 } }
      return lineNumber < 0 ? [] : atSources({ ...profile, nodes: [node] }).nodes
    })
    expect(found.map(({ callFrame }) => callFrame.url)).toContain(
      pathToFileURL(resolve('src/session/handle.ts')).href,
    )
  })

  it('is an SVG with a bar for each part', () => {
    expect(drawProfile(timeByPart(profile), 'Time').match(/<rect/g)).toHaveLength(3)
  })
})
