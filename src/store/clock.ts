// Converts between monotonic time, which never jumps, and wall time, which has a meaning after the process has ended.

import type { ToWall } from '../session/record.ts'

/** Milliseconds since 1970 at which `performance.now` was zero. It changes when somebody sets the wall clock. */
const origin = (): number => Date.now() - performance.now()

/** From monotonic to wall time, as of now. Infinity stays what it is. */
export function toWallNow(): ToWall {
  const zero = origin()
  return (monotonic) => monotonic + zero
}

/** From wall to monotonic time, as of now. */
export function toMonotonicNow(): (wall: number) => number {
  const zero = origin()
  return (wall) => wall - zero
}
