// `npm run acceptance`: what it counts as waiting, how goals are judged, and that it runs.

import { setMaxListeners } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { goals } from '../../lab/acceptance/goals.ts'
import { type AcceptanceReport, acceptanceRows, worstOf } from '../../lab/acceptance/report.ts'
import { runAcceptance } from '../../lab/acceptance/run.ts'
import { Waits } from '../../lab/acceptance/waits.ts'
import { pageWith } from '../../lab/docs/acceptance.ts'
import { haveMosquitto } from '../support/broker.ts'
import { hasPostgres } from '../support/postgres.ts'

const compiled = 'dist/src/cli.js'
/** Milliseconds on a machine that is busy with other things. */
const TIMEOUT = 180_000

function waitsAt(): { waits: Waits; at(time: number): Waits } {
  let now = 0
  const waits = new Waits(() => now)
  return {
    waits,
    at(time) {
      now = time
      return waits
    },
  }
}

describe('the waits of sensors', () => {
  it('count from the first try to the answer, also those that were open when something happened', () => {
    const { waits, at } = waitsAt()
    const early = at(0).begin('qos1', 'a')
    const over = at(0).begin('qos1', 'b')
    at(50).end(over)
    const late = at(300).begin('ping', 'c')
    at(400).end(late)
    at(900).end(early)
    expect(waits.figures(waits.between(100, 500))).toMatchObject({ count: 2, longest: 900, whose: 'a, qos1' })
    expect(waits.figures(waits.between(100, 500, ['ping']))).toMatchObject({ count: 1, longest: 100 })
  })

  it('count up to now while there is no answer', () => {
    const { waits, at } = waitsAt()
    at(100).begin('qos2', 'a')
    at(700)
    expect(waits.isOpen(0, 200)).toBe(true)
    expect(waits.figures(waits.between(0, 200)).longest).toBe(600)
    expect(waits.isOpen(0, 50)).toBe(false)
  })

  it('say whose answer was thrown away, and forget QoS 0 that went lost before', () => {
    const { waits, at } = waitsAt()
    at(0).begin('qos0', 'a')
    at(0).begin('qos1', 'b')
    waits.noteStray('b')
    waits.mark()
    const all = waits.between(0, 10, ['qos0', 'qos1'])
    expect(all.map(({ sensor, isStray }) => [sensor, isStray])).toEqual([['b', true]])
  })
})

describe('the report', () => {
  const measured = worstOf([
    { id: 'kill-wait', value: 1.2 },
    { id: 'kill-wait', value: 2.6, note: 'p99 2 s' },
    { id: 'rolling-repeated', value: 0 },
  ])

  it('has the worst of all runs for each goal, says what was missed, and what was not measured', () => {
    const rows = acceptanceRows(measured)
    const verdicts = rows.slice(1).map((row) => row.at(-1))
    expect(rows).toHaveLength(goals.length + 1)
    expect(rows).toContainEqual([
      'SIGKILL of a node',
      'longest wait of a sensor',
      'at most 2.5 s',
      '2.6 s, the worst of 2 (p99 2 s)',
      'missed',
    ])
    expect(verdicts.filter((verdict) => verdict === 'met')).toHaveLength(1)
    expect(verdicts.filter((verdict) => verdict === 'not measured')).toHaveLength(goals.length - 2)
  })

  it('stands in docs/cluster.md as the last run has it', () => {
    const report = JSON.parse(readFileSync('docs/cluster-acceptance.json', 'utf8')) as AcceptanceReport
    const page = readFileSync('docs/cluster.md', 'utf8')
    expect(pageWith(page, report)).toBe(page)
  })
})

it.skipIf(!haveMosquitto || !hasPostgres)(
  'runs: sensors in front of three nodes are sent elsewhere, nothing is lost, and none has to connect again (PostgreSQL)',
  { timeout: TIMEOUT },
  async () => {
    const never = new AbortController()
    setMaxListeners(0, never.signal)
    const told: string[] = []
    const report = await runAcceptance({
      ...{ sensors: 40, sessions: 100, runs: 1, seed: 1, only: ['rehash'], command: '', keep: false },
      entry: existsSync(compiled) ? [compiled] : ['--import', 'tsx', 'src/cli.ts'],
      say: (line) => told.push(line),
      signal: never.signal,
    })
    expect(report.faults, told.join('\n')).toEqual([])
    expect(report.measured).toMatchObject([{ id: 'rehash-wait', runs: 1 }])
    expect(report.acknowledged).toBeGreaterThan(20)
    expect(report.lost).toBe(0)
  },
)
