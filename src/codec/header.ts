// The header of a message: Length in one or three octets [5.2.1], then MsgType [5.2.2]. Reading it allocates nothing and
// never throws, so that a datagram can be sorted before it is decoded. Pure.

/** The first octet of a Length of three octets [SN-LEN-2]. */
const LONG_FORM = 1
/** The largest total that one octet of Length can express. */
const LARGEST_SHORT = 255
/** The largest total that the 3-octet Length can express. */
export const LONGEST_MESSAGE = 65535
/** Octets of the longest header. */
export const LONGEST_HEADER = 4

/** Whether the message that begins at `start` has the 3-octet Length. */
export function hasLongLength(bytes: Uint8Array, start = 0): boolean {
  return bytes[start] === LONG_FORM
}

/**
 * Octets of Length and MsgType of the message that begins at `start`. The first octet alone decides: the long form may hold
 * any total [SN-LEN-4].
 */
export function headerLength(bytes: Uint8Array, start = 0): 2 | 4 {
  return bytes[start] === LONG_FORM ? 4 : 2
}

/** What the Length of the message at `start` says, in octets; octets that are missing count as 0. */
export function statedLength(bytes: Uint8Array, start = 0): number {
  const first = bytes[start] ?? 0
  return first === LONG_FORM ? ((bytes[start + 1] ?? 0) << 8) | (bytes[start + 2] ?? 0) : first
}

/** The MsgType code of the message at `start`, known or not; undefined if the octets end before it. */
export function msgTypeAt(bytes: Uint8Array, start = 0): number | undefined {
  return bytes[start + (bytes[start] === LONG_FORM ? 3 : 1)]
}

/** Octets of the shortest header for so many octets behind it: one octet of Length up to a total of 255 [SN-LEN-5]. */
export function shortestHeader(bodyOctets: number): 2 | 4 {
  return bodyOctets + 2 <= LARGEST_SHORT ? 2 : 4
}

/** Octets of a message with the shortest header and so many octets behind it. */
export function messageLength(bodyOctets: number): number {
  return shortestHeader(bodyOctets) + bodyOctets
}

/**
 * Writes the shortest header so that it ends before `body`, whose octets end before `end`.
 * @returns where the message begins now
 */
export function writeHeader(bytes: Uint8Array, msgType: number, body: number, end: number): number {
  const start = body - shortestHeader(end - body)
  const total = end - start
  bytes[body - 1] = msgType
  if (body - start === 2) bytes[start] = total
  else {
    bytes[start] = LONG_FORM
    bytes[start + 1] = total >> 8
    bytes[start + 2] = total
  }
  return start
}
