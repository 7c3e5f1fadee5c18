// What happened within the last minutes, for the checks of the overview: all of it from the gateway's own counters.

import type { Recent } from './health.ts'
import { live } from './live.ts'

const LATELY = 300

export function recently(): Recent {
  const { history } = live
  return {
    drops: history.drops(),
    datagrams: history.volume('received', 60),
    refused: history.growth('refused', LATELY),
    refusals: history.growth('refusals', LATELY),
    kernelDrops: history.growth('kernelDrops', LATELY),
    lost: history.growth('losses', LATELY),
  }
}
