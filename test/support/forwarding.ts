// A forwarder that runs in the process of a test, with its log.

import { onTestFinished } from 'vitest'
import { RunningForwarder } from '../../src/cli/forward/forwarder.ts'
import { loadForward } from '../../src/config/forward/load.ts'
import { createLog } from '../../src/log.ts'
import { until } from './gateway.ts'

export interface TestForwarder {
  readonly forwarder: RunningForwarder
  /** lines of its log so far */
  readonly lines: Record<string, unknown>[]
  /** where nodes reach it: its first link, or another one by its number */
  url(link?: number): string
  /** resolves when the gateway serves it */
  served(): Promise<void>
}

/** Starts it with a document as it would be written; ended with the test. `served: false`: the gateway needs not be there. */
export async function startForwarder(
  document: object,
  { served = true, ended = true }: { served?: boolean; ended?: boolean } = {},
): Promise<TestForwarder> {
  const { config } = loadForward({ env: {}, overrides: document })
  const lines: Record<string, unknown>[] = []
  const log = createLog(
    { level: 'debug', format: 'json', payloads: false },
    { isTTY: false, hasColors: () => false, write: (line: string) => lines.push(JSON.parse(line)) > 0 },
  )
  const forwarder = await RunningForwarder.start(config, log)
  if (ended) onTestFinished(() => forwarder.stop())
  const test: TestForwarder = {
    forwarder,
    lines,
    url: (link = 0) => forwarder.listeners()[link]?.url ?? '',
    served: () => until(() => forwarder.core.watch.standing === 'serving', 20_000),
  }
  if (served) await test.served()
  return test
}
