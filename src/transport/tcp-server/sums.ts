// What several streams tell of themselves, as one.

import type { LinkStats } from '../transport.ts'

/** Nothing yet. */
export const noStats: LinkStats = {
  up: false,
  octets: { received: 0, sent: 0 },
  frames: { received: 0, sent: 0 },
  errors: {
    noise: 0,
    checksum: 0,
    oversized: 0,
    'unknown-frame': 0,
    broadcast: 0,
    undelivered: 0,
    unconfirmed: 0,
    full: 0,
    away: 0,
    stuck: 0,
  },
  queue: 0,
  noise: '',
  unconfirmed: 0,
  signal: undefined,
  unreachable: { count: 0, some: [] },
}

const both = (a: LinkStats['octets'], b: LinkStats['octets']): LinkStats['octets'] => ({
  received: a.received + b.received,
  sent: a.sent + b.sent,
})

/** Two as one; the noise and the signal are those of the second, where it has some. */
export function addStats(a: LinkStats, b: LinkStats): LinkStats {
  const errors: Record<keyof LinkStats['errors'], number> = { ...a.errors }
  for (const reason of Object.keys(errors) as (keyof LinkStats['errors'])[])
    errors[reason] += b.errors[reason]
  return {
    up: a.up || b.up,
    octets: both(a.octets, b.octets),
    frames: both(a.frames, b.frames),
    errors,
    queue: a.queue + b.queue,
    noise: b.noise === '' ? a.noise : b.noise,
    unconfirmed: a.unconfirmed + b.unconfirmed,
    signal: b.signal ?? a.signal,
    unreachable: {
      count: a.unreachable.count + b.unreachable.count,
      some: [...a.unreachable.some, ...b.unreachable.some],
    },
  }
}
