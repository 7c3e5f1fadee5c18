// Time that does not pass while this process stands still: what a sensor did not do then is no fault of the gateway.

/** Milliseconds between two looks, and what one of them counts at most. */
const LOOK = 20
const MOST = 60

let passed = 0
let lookedAt = performance.now()

function look(): void {
  const now = performance.now()
  passed += Math.min(MOST, now - lookedAt)
  lookedAt = now
}
setInterval(look, LOOK).unref()

/** Milliseconds in which this process has run. */
export function runningTime(): number {
  look()
  return passed
}
