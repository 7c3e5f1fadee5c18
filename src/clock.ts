// The two clocks: `performance.now`, which never jumps, and the wall clock, which outlives the process and may be set while it
// runs. Nothing is kept here, since the relation between them may change at any time.

/** The two may differ by so much without the wall clock having been set, milliseconds: more than its resolution. */
const TOLERANCE = 20

/** Milliseconds since 1970 at which `performance.now` was zero, by the wall clock as it is set now. */
function monotonicZero(): number {
  const observed = Date.now() - performance.now()
  // what the process began with is the steadier one: two readings of the same time give the same result
  return Math.abs(observed - performance.timeOrigin) > TOLERANCE ? observed : performance.timeOrigin
}

/** Wall time of a monotonic one, milliseconds since 1970. Infinity stays what it is. */
export const toWall = (monotonic: number): number => monotonic + monotonicZero()

/** The same for many times, by the wall clock as it is set at this call. */
export function toWallNow(): (monotonic: number) => number {
  const zero = monotonicZero()
  return (monotonic) => monotonic + zero
}

/** From wall to monotonic time, by the wall clock as it is set at this call. */
export function toMonotonicNow(): (wall: number) => number {
  const zero = monotonicZero()
  return (wall) => wall - zero
}
