// The sizing model, on costs that are easy to add up, and its page.

import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Report } from '../../lab/bench/report.ts'
import { sizingPage } from '../../lab/docs/sizing.ts'
import { COST_NAMES, type Costs, costsOf } from '../../lab/sizing/costs.ts'
import { needOf, type Site, USUAL } from '../../lab/sizing/model.ts'
import { playTakeover, type Takeover, USUAL_TAKEOVER } from '../../lab/sizing/takeover.ts'

const report = JSON.parse(readFileSync('docs/performance.json', 'utf8')) as Report
/** A million of each would cost a core. */
const ROUND: Costs = {
  ...(Object.fromEntries(COST_NAMES.map((name) => [name, 1])) as Record<(typeof COST_NAMES)[number], number>),
  ...{ hop: 0, workers: 0, first: 0, ports: 1e9, engineRows: 1e9 },
}
const need = (changes: Partial<Site>, costs: Partial<Costs> = {}) =>
  needOf(
    { ...USUAL, sensors: 1_000_000, interval: 1, keepAlive: 1000, cores: 1, busy: 1, ...changes },
    { ...ROUND, ...costs },
  )
const never = Number.POSITIVE_INFINITY

describe('what a site needs', () => {
  it('grows with its messages, each by the cost of its QoS', () => {
    const costs = { qos0: 1, qos1: 2, qos2: 4, rowClient: 0 }
    expect(need({ mix: { '0': 1 } }, costs).cores).toBe(1)
    expect(need({ mix: { '0': 0.5, '1': 0.25, '2': 0.25 } }, costs).cores).toBe(2)
    expect(need({ mix: { '1': 1 }, interval: 10 }, costs).cores).toBeCloseTo(0.2)
  })

  it.each([
    ['0', 1, 0],
    ['1', 2, 0],
    ['1s', 2, 2],
    ['2', 4, 3],
  ] as const)('has for a message of QoS %s %i datagrams and %i rows', (kind, datagrams, rows) => {
    const { datagrams: found, rows: written } = need({ mix: { [kind]: 1 } })
    const heard = 1000 // of a million sensors, once in 1000 s
    expect([found, written - heard]).toEqual([datagrams * 1e6, rows * 1e6])
  })

  it('writes that a sensor was heard once in its keep-alive, and every 60 s at most, or as it is told', () => {
    const rows = (changes: Partial<Site>) => Math.round(need({ mix: { '0': 1 }, ...changes }).rows)
    expect(rows({ keepAlive: 100 })).toBe(10_000)
    expect(rows({ keepAlive: 10 })).toBe(16_667)
    expect(rows({ keepAlive: 60, heardEvery: 6 })).toBe(166_667)
    expect(rows({ keepAlive: 60, heardEvery: 6, interval: 30 })).toBe(33_333) // each message
    expect(rows({ interval: never, wake: 600 })).toBe(1667)
  })

  it('counts the PINGREQs of sensors that have nothing to say', () => {
    expect(need({ interval: never, keepAlive: 100 })).toMatchObject({ messages: 0, datagrams: 20_000 })
  })

  it('is so many nodes that one may be missing, and says what sets their number', () => {
    const idle = { mix: { '0': 1 }, interval: 1e6 }
    expect(need(idle)).toMatchObject({ nodes: 2, by: 'least', fitsOne: true })
    expect(need({ ...idle, spare: 0 })).toMatchObject({ nodes: 1, by: 'least' })
    expect(need(idle, { ports: 250_000 })).toMatchObject({ nodes: 5, by: 'ports', fitsOne: false })
    expect(need({ mix: { '0': 1 } }, { qos0: 3.5, rowClient: 0 })).toMatchObject({ nodes: 5, by: 'cores' })
    expect(need({ mix: { '0': 1 }, cores: 16 }, { qos0: 0, first: 3.5 })).toMatchObject({
      nodes: 5,
      by: 'first thread',
    })
  })

  it('is fewer ports with local addresses, or with addresses of the broker, but not with both, and none where sensors share', () => {
    const nodes = (changes: Partial<Site>) =>
      need({ interval: 1e6, spare: 0, ...changes }, { ports: 100_000 }).nodes
    expect([nodes({}), nodes({ localAddresses: 5 }), nodes({ brokerAddresses: 5 })]).toEqual([10, 2, 2])
    expect(nodes({ localAddresses: 2, brokerAddresses: 5 })).toBe(5)
    expect(nodes({ shared: 20 })).toBe(1)
  })

  it('has a hop for all datagrams but one of as many as there are nodes', () => {
    const { nodes, hops } = need({ mix: { '0': 1 } }, { qos0: 1, hop: 1, rowClient: 0 })
    expect(hops).toBeCloseTo((nodes - 1) / nodes)
    expect(need({ mix: { '0': 1 }, spare: 0 }, { qos0: 0.5, hop: 1, rowClient: 0 })).toMatchObject({
      nodes: 1,
      hops: 0,
    })
  })

  it('is not less with more sensors, and not more with more cores', () => {
    const nodes = (changes: Partial<Site>) => needOf({ ...USUAL, ...changes }, costsOf(report)).nodes
    const counts = [1e3, 1e4, 1e5, 1e6, 1e7]
    const grown = counts.map((sensors) => nodes({ sensors, interval: 1, localAddresses: 64 }))
    expect(grown).toEqual([...grown].sort((a, b) => a - b))
    const cores = [2, 4, 8, 64].map((count) =>
      nodes({ sensors: 1e6, interval: 1, localAddresses: 64, cores: count }),
    )
    expect(cores).toEqual([...cores].sort((a, b) => b - a))
  })
})

describe('a takeover', () => {
  const play = (changes: Partial<Takeover>) =>
    playTakeover({ ...USUAL_TAKEOVER, sensors: 20_000, ...changes })

  it('is the same for the same seed, and another one for another', () => {
    expect(play({ seed: 5 })).toEqual(play({ seed: 5 }))
    expect(play({ seed: 5 })).not.toEqual(play({ seed: 6 }))
  })

  it('concerns those of the node, and those who came in there', () => {
    const share = (nodes: number) => play({ nodes }).concerned / 20_000
    expect(share(2)).toBeCloseTo(0.75, 1)
    expect(share(10)).toBeCloseTo(0.19, 1)
  })

  it('makes nobody give up where everything is found out within the patience of sensors', () => {
    expect(play({ detect: 5, balancer: 10 }).gaveUp).toBe(0)
  })

  it('makes those give up whose flows the balancer leaves where they were', () => {
    const { concerned, gaveUp } = play({ balancer: 1e6, nodes: 10 })
    expect(gaveUp / concerned).toBeCloseTo(0.1 / 0.19, 1)
  })

  it('takes longer with a slow balancer, a slow broker, or a late look', () => {
    const usual = play({}).p99
    expect(play({ balancer: 15 }).p99).toBeGreaterThan(usual)
    expect(play({ connects: 30 }).p99).toBeGreaterThan(usual)
    expect(play({ detect: 15 }).p99).toBeGreaterThan(usual)
  })

  it('lets no message wait for longer than its repetitions', () => {
    for (const seed of [1, 2, 3]) {
      const { longest } = play({ seed, balancer: 25, detect: 12, connects: 20, tRetry: 5 })
      expect(longest).toBeLessThanOrEqual(20)
    }
  })
})

describe('the page', () => {
  it('is what the model and the figures give', () => {
    expect(readFileSync('docs/sizing.md', 'utf8'), 'run npx tsx lab/docs/sizing.ts').toBe(sizingPage(report))
  })

  it('names every cost, and where it comes from', () => {
    const page = sizingPage(report)
    for (const name of COST_NAMES)
      expect(page).toMatch(new RegExp(`\\| \`${name}\` \\|.*\\| (benchmark|measured once|assumed|default)`))
  })
})

describe('the command', () => {
  const args = ['--import', 'tsx', 'lab/sizing.ts']
  const run = (...options: string[]) =>
    execFileSync(process.execPath, [...args, ...options], { encoding: 'utf8' })

  it('prints JSON for a site of one’s own, with other costs', () => {
    const site = ['--sensors', '1000', '--mix', '0:0.5,2:0.5', '--interval', '500ms', '--seed', '3']
    const { need: found, takeover } = JSON.parse(
      run(...site, '--cost', 'ports=100', '--cost', 'qos2=1', '--json'),
    )
    expect(found).toMatchObject({ messages: 2000, nodes: 11, by: 'ports' })
    expect(takeover).toMatchObject({ nodes: 11 })
  })

  it.each([
    ['--mix', '0:0.5'],
    ['--mix', '7:1'],
    ['--mix', '0:1,0:0'],
    ['--cost', 'gold=1'],
    ['--cost', 'qos0'],
    ['--interval', '0'],
    ['--busy', '2'],
    ['--performance', 'package.json'],
    ['--performance', 'no-such-file.json'],
  ])('refuses %s %s in a sentence', (option, value) => {
    const { status, stderr } = spawnSync(process.execPath, [...args, option, value], { encoding: 'utf8' })
    expect([status, stderr.trim().split('\n').length]).toEqual([1, 1])
    expect(stderr).toMatch(/^(error|sizing): /)
  })
})
