// What happened within the last minutes, for the checks of the overview: all of it from the gateway's own counters.

import type { HappeningKind } from '../../contract/happenings.ts'
import type { Recent } from './lately.ts'
import { live } from './live.ts'

const LATELY = 300

export function recently(): Recent {
  const { history, happened } = live
  const since = Date.now() - LATELY * 1000
  const latest = (kind: HappeningKind) => happened.find((one) => one.kind === kind && one.at >= since)
  return {
    drops: history.drops(),
    datagrams: history.volume('received', LATELY),
    refused: history.growth('refused', LATELY),
    refusals: history.growth('refusals', LATELY),
    kernelDrops: history.growth('kernelDrops', LATELY),
    refusal: latest('refused'),
    twins: latest('contested'),
    lost: history.growth('losses', LATELY),
  }
}
