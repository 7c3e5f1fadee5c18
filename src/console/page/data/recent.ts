// What happened within the last minutes, for the checks of the overview.

import type { Recent } from './health.ts'
import { live } from './live.ts'

const LATELY = 300

export function recently(): Recent {
  const { history, changes } = live
  const since = Date.now() - LATELY * 1000
  return {
    drops: history.drops(),
    datagrams: history.volume('received', 60),
    refused: history.growth('refused', LATELY),
    kernelDrops: history.growth('kernelDrops', LATELY),
    lost: changes.filter(({ to, at }) => to === 'lost' && at > since).length,
  }
}
