// A node that is started with many sessions in the database: how long it takes until it serves them, and how long its turns are meanwhile.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pause } from '../../../src/sensor/pause.ts'
import { entryOf } from '../../bench/stage.ts'
import type { Measured } from '../report.ts'
import { AcceptanceSite, LISTENER, type SiteOptions } from '../site.ts'
import { storeSessions } from '../stored-sessions.ts'
import type { Turn } from '../turn-probe.ts'

/** Milliseconds for which it is looked at after it serves: what is done then belongs to it. */
const AFTERMATH = 1500

/** `sessions`: in the database. */
export async function load(
  options: Pick<SiteOptions, 'entry' | 'keep' | 'tRetry' | 'signal'>,
  sessions: number,
  say: (line: string) => void,
): Promise<readonly Measured[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-turns-'))
  const file = join(folder, 'turns')
  let [took, served] = [Number.NaN, 0]
  process.env['TURN_PROBE'] = file
  try {
    const site = await AcceptanceSite.open({
      ...options,
      nodes: 1,
      entry: ['--import', ...entryOf('lab/acceptance/turn-probe').slice(-1), ...options.entry],
      prepare: (engine) => storeSessions(engine, sessions, LISTENER),
      onLine(line) {
        if (!line.includes('this node serves its share')) return
        took = Number(/"took":(\d+)/.exec(line)?.[1])
        served = Number(/"sensors":(\d+)/.exec(line)?.[1])
      },
    })
    const servedAt = Date.now()
    try {
      await pause(AFTERMATH, options.signal)
    } finally {
      await site.close()
    }
    if (served < sessions) throw new Error(`the node serves ${served} of ${sessions} sessions`)
    const lines = readFileSync(file, 'utf8').trim().split('\n')
    const turns = lines
      .map((line) => JSON.parse(line) as Turn)
      .filter(({ at }) => at > servedAt - took && at < servedAt + AFTERMATH)
    if (turns.length === 0) throw new Error('the node noted no turns')
    for (const turn of turns)
      if (turn.longest > 15)
        say(
          `  thread ${turn.thread}, ${turn.at - servedAt} ms after it served: a turn of ${turn.longest.toFixed(0)} ms, ${shareOfOthers(turn)}`,
        )
    const worst = turns.reduce((one, other) => (other.longest > one.longest ? other : one))
    const { longest } = worst
    const note = shareOfOthers(worst)
    return [
      { id: 'loading-served', value: took / 1000 },
      { id: 'loading-turn', value: longest, note },
    ]
  } finally {
    delete process.env['TURN_PROBE']
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What of it was not the gateway's work. */
const shareOfOthers = ({ pause: collected, waited }: Turn): string =>
  `within 0.1 s up to ${collected.toFixed(0)} ms at a time for garbage, ${waited.toFixed(0)} ms without a processor`
