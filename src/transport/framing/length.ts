// No framing at all: the Length field of MQTT-SN tells messages apart [5.2.1]. For wires that lose nothing: after a lost octet
// only silence shows where the next message begins. Pure.

import { appendCrc, crcLength, takeCrc } from './crc.ts'
import type { Decoded, Framing } from './decoded.ts'
import type { FramingOptions } from './options.ts'

const ENCAPSULATION = 0xfe
/** Milliseconds without an octet in the middle of a message: the rest will not come. */
const SILENCE = 50

/**
 * Octets of the message that begins at `start`, of an encapsulated one with what it carries [5.5]; undefined while too little of
 * it is there, 0 if no message begins so.
 */
export function measureMessage(bytes: Uint8Array, start = 0, encapsulated = true): number | undefined {
  const [first, high, low] = [bytes[start], bytes[start + 1], bytes[start + 2]]
  if (first === undefined) return undefined
  const isLong = first === 1
  if (isLong && low === undefined) return undefined
  const length = isLong ? (high ?? 0) * 256 + (low ?? 0) : first
  if (length < (isLong ? 4 : 2)) return 0
  const type = bytes[start + (isLong ? 3 : 1)]
  if (type === undefined) return undefined
  if (type !== ENCAPSULATION || !encapsulated) return length
  const carried = measureMessage(bytes, start + length, false)
  return carried === undefined || carried === 0 ? carried : length + carried
}

/** Whether these octets are one message as to its Length, neither more nor less. */
export const isWholeMessage = (bytes: Uint8Array): boolean => measureMessage(bytes) === bytes.length

/** The framing `length`; a check sum stands behind the message where one is asked for. */
export function createLength({ longest, crc = 'none' }: FramingOptions): Framing {
  const extra = crcLength(crc)
  const body = new Uint8Array(longest + extra)
  let used = 0
  /** octets of an oversized message that are still to come */
  let toSkip = 0
  /** after noise nothing counts until the line has been silent */
  let lost = false

  function step(): Decoded | undefined {
    const length = measureMessage(body.subarray(0, used))
    if (length === undefined) return used < body.length ? undefined : drop('oversized')
    if (length === 0) return drop('noise')
    if (length > longest) {
      toSkip = length + extra - used
      used = 0
      return { fault: 'oversized', octets: new Uint8Array() }
    }
    if (used < length + extra) return undefined
    const whole = body.slice(0, used)
    used = 0
    const frame = takeCrc(crc, whole)
    return frame === undefined ? { fault: 'checksum', octets: whole } : { frame }
  }

  function drop(fault: 'noise' | 'oversized'): Decoded {
    const octets = fault === 'noise' ? body.slice(0, used) : new Uint8Array()
    used = 0
    lost = true
    return { fault, octets }
  }

  return {
    silence: SILENCE,
    encode: (message) => appendCrc(crc, message),
    push(bytes) {
      const found: Decoded[] = []
      for (const octet of bytes) {
        if (lost) continue
        if (toSkip > 0) {
          toSkip--
          continue
        }
        body[used++] = octet
        const decoded = step()
        if (decoded !== undefined) found.push(decoded)
      }
      return found
    },
    reset() {
      const rest: Decoded[] = used === 0 ? [] : [{ fault: 'noise', octets: body.slice(0, used) }]
      used = 0
      toSkip = 0
      lost = false
      return rest
    },
  }
}
