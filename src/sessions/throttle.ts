// Rates per source: token buckets in a bounded table [SN-UNK-3, SN-ROB-1]. Pure: time is an argument.

/** Buckets by source. When full of sources, the table starts anew: a flood of forged sources must not exhaust memory. */
export type Throttle = Map<string | number, Bucket>

interface Bucket {
  tokens: number
  at: number
}

const MOST_SOURCES = 20_000

/** An empty table. */
export const createThrottle = (): Throttle => new Map()

/** Takes one token of `source`, if there is one: `rate` tokens per second come back, up to `burst`. */
export function allow(
  throttle: Throttle,
  source: string | number,
  rate: number,
  burst: number,
  now: number,
): boolean {
  let bucket = throttle.get(source)
  if (bucket === undefined) {
    if (throttle.size >= MOST_SOURCES) throttle.clear()
    bucket = { tokens: burst, at: now }
    throttle.set(source, bucket)
  }
  bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) * rate) / 1000)
  bucket.at = now
  if (bucket.tokens < 1) return false
  bucket.tokens -= 1
  return true
}
