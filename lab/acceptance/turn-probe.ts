// Loaded before a gateway (`node --import`), in each of its threads: writes how long the longest turn of the event loop was, the longest
// pause of the garbage collector, and how long the thread could have run and others had the processor, once in a while, as lines of JSON
// to the file that TURN_PROBE names.

import { appendFileSync, readFileSync } from 'node:fs'
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { threadId } from 'node:worker_threads'

/** One line; milliseconds, the time since 1970. */
export interface Turn {
  readonly thread: number
  readonly at: number
  readonly longest: number
  readonly pause: number
  /** while others had the processor, in all turns of the period together */
  readonly waited: number
}

const PERIOD = 100
const RESOLUTION = 1

/** Milliseconds that this thread has waited for a processor so far, as Linux counts them. */
const waitedSoFar = (): number =>
  Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[1]) / 1e6

const file = process.env['TURN_PROBE']
if (file !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION })
  delay.enable()
  let [pause, before] = [0, waitedSoFar()]
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) pause = Math.max(pause, duration)
  }).observe({ entryTypes: ['gc'] })
  setInterval(() => {
    const longest = Math.max(0, delay.max / 1e6 - RESOLUTION)
    const now = waitedSoFar()
    const turn: Turn = { thread: threadId, at: Date.now(), longest, pause, waited: now - before }
    before = now
    appendFileSync(file, `${JSON.stringify(turn)}\n`)
    delay.reset()
    pause = 0
  }, PERIOD).unref()
}
