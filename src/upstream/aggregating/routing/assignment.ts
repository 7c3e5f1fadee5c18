// Which of n connections a sensor uses: always the same one, and as many as possible keep theirs when n changes. Pure.

/** Jump consistent hash (Lamping and Veach): 0 to count - 1. */
export function connectionFor(clientId: string, count: number): number {
  let [low, high] = [0x811c9dc5, 0x9e3779b9]
  for (let i = 0; i < clientId.length; i++) {
    low = Math.imul(low ^ clientId.charCodeAt(i), 0x01000193)
    high = Math.imul(high ^ low, 0x85ebca6b)
  }
  let key = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
  let [bucket, next] = [0, 0]
  while (next < count) {
    bucket = next
    key = (key * 2862933555777941757n + 1n) & 0xffffffffffffffffn
    next = Math.floor((bucket + 1) * (2147483648 / Number((key >> 33n) + 1n)))
  }
  return bucket
}
