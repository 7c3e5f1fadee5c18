// When so much waits to be written to the broker that a connection counts as congested [SN-MAP-29].

import type { Duplex } from 'node:stream'
import type { UpstreamOptions } from '../../upstream.ts'

/**
 * Whether the system has taken all that was written; what only waits for the end of this tick is given to it. Streams that encrypt or
 * frame what they carry learn of it a moment later.
 */
export function hasLeft(stream: Duplex): boolean {
  if (stream.writableCorked > 0) stream.uncork()
  return stream.writableLength === 0
}

/**
 * Whether more waits than may: here, or so much that it would be too much if it waited on all connections. What only waits
 * for the end of this tick says nothing about the broker, and does not count for the latter: `backlog` is without it.
 */
export function isTooMuch(
  stream: Duplex,
  backlog: number,
  { writeBuffer, totalWriteBuffer = Number.POSITIVE_INFINITY }: UpstreamOptions,
  connected: number,
): boolean {
  // `drain` is only told by streams that were above their own mark.
  const least = stream.writableHighWaterMark
  const equalPart = totalWriteBuffer / Math.max(1, connected)
  return stream.writableLength > Math.max(writeBuffer, least) || backlog > Math.max(equalPart, least)
}
