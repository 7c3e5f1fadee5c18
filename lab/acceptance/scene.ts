// One crowd in front of the nodes, and one thing after another that happens to these: how long sensors waited each time.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { pause } from '../../src/sensor/pause.ts'
import { digits } from '../bench/report.ts'
import type { GatewayNode } from '../chaos/nodes/nodes.ts'
import type { Crowd } from './crowd.ts'
import type { Measured } from './report.ts'
import type { AcceptanceSite } from './site.ts'
import { ANSWERED, type WaitKind } from './waits.ts'

/** Milliseconds: in which all goes well before something happens, and at most until all have their answers. */
const [CALM, PATIENCE] = [3000, 60_000]
const LOOK = 50

/** What rows work with. */
export interface Scene {
  readonly site: AcceptanceSite
  readonly crowd: Crowd
  readonly signal: AbortSignal
  readonly say: (line: string) => void
}

/** What happened from a moment on. */
export interface Happening {
  /** milliseconds, since when */
  readonly from: number
  /** requests whose answers were thrown away on their way */
  readonly strays: number
  /** how long sensors waited whose requests were open then, or came until now */
  waits(kinds?: readonly WaitKind[], hasStrays?: boolean): { readonly seconds: number; readonly note: string }
}

/** Lets something happen when all is well, and returns when all who asked meanwhile have their answers. `after`: milliseconds to go on. */
export async function happens(
  { crowd, signal, say, site }: Scene,
  what: string,
  happen: () => Promise<void>,
  after: number,
): Promise<Happening> {
  await site.isEven()
  await pause(CALM, signal)
  crowd.mark()
  const lag = monitorEventLoopDelay({ resolution: 10 })
  lag.enable()
  const from = performance.now()
  await happen()
  await pause(after, signal)
  const to = performance.now()
  const deadline = to + PATIENCE
  while (crowd.waits.isOpen(from, to) && performance.now() < deadline && !signal.aborted)
    await pause(LOOK, signal)
  lag.disable()
  const late = lag.max / 1e6
  const { repeated, refused } = crowd.tally
  const waits: Happening['waits'] = (kinds = ANSWERED, hasStrays = true) => {
    const all = crowd.waits.between(from, to, kinds)
    const figures = crowd.waits.figures(hasStrays ? all : all.filter(({ isStray }) => !isStray))
    const { count, p50, p99, longest, whose } = figures
    say(
      `  ${what}: ${count} of ${kinds.join(', ')}: p50 ${digits(p50)}, p99 ${digits(p99)}, longest ${digits(longest)} ms (${whose}); ` +
        `${repeated} repeated, ${refused} refused for now, sensors late by ${digits(late)} ms at most`,
    )
    return { seconds: longest / 1000, note: `p99 ${digits(p99 / 1000)} s` }
  }
  return { from, strays: crowd.waits.between(from, to).filter(({ isStray }) => isStray).length, waits }
}

/** Each of the nodes but these. */
export const othersThan = ({ site }: Scene, ...victims: readonly GatewayNode[]): readonly GatewayNode[] =>
  site.nodes.all.filter((node) => !victims.includes(node))

/** The node whose turn it is in this run. */
export function victimOf({ site }: Scene, run: number): GatewayNode {
  const { all } = site.nodes
  const victim = all[run % all.length]
  if (victim === undefined) throw new Error('there are no nodes')
  return victim
}

/** A row: what happens in one run, and what came of it. */
export type Row = (scene: Scene, run: number) => Promise<readonly Measured[]>
