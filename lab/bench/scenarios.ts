// All scenarios, by the names that `--scenario` takes.

import type { Row } from './figures.ts'
import { bareScenarios } from './scenarios/bare.ts'
import { connectScenarios } from './scenarios/connect.ts'
import { downlinkScenarios } from './scenarios/downlink.ts'
import { dtlsScenarios } from './scenarios/dtls.ts'
import { overloadScenarios } from './scenarios/overload.ts'
import { ptyScenarios } from './scenarios/pty.ts'
import { uplinkScenarios } from './scenarios/uplink.ts'
import type { Context } from './window.ts'

/** One thing to measure. */
export interface Scenario {
  readonly name: string
  /** what it does, for people */
  readonly about: string
  /** numbers of sensors it is measured with */
  readonly sensors: readonly number[]
  /** number of sensors in the smallest form; without it, it is left out there */
  readonly smallest?: number
  /** false: it makes no sense for a gateway that runs already */
  readonly withTarget?: boolean
  readonly run: (context: Context, sensors: number) => Promise<Row[]>
}

export const scenarios: readonly Scenario[] = [
  ...connectScenarios,
  ...uplinkScenarios,
  ...downlinkScenarios,
  ...overloadScenarios,
  ...dtlsScenarios,
  ...ptyScenarios,
  ...bareScenarios,
]
