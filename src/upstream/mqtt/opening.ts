// When CONNECT is said: at once, or where others may serve the sensors, when the way to the broker is open and it may still be said. A
// process that has stood still in between would otherwise take the connection from whoever serves the sensor by now, with a will.

import type { Duplex } from 'node:stream'

/** The event with which a stream is open. */
const openingOf = (stream: Duplex): string => ('encrypted' in stream ? 'secureConnect' : 'connect')

/** Whether it is not open yet; of TLS, not even below. */
export const isConnecting = (stream: Duplex): boolean => 'connecting' in stream && stream.connecting === true

/** `mayConnect`: undefined where nobody else serves; `onForbidden`: it may not be said any more. */
export function sayConnect(
  stream: Duplex,
  octets: Uint8Array,
  mayConnect: (() => boolean) | undefined,
  onForbidden: () => void,
): void {
  if (mayConnect === undefined) return void stream.write(octets)
  stream.once(openingOf(stream), () => {
    if (!stream.writable)
      stream.destroy() // it was ended meanwhile, and the broker has heard nothing of it
    else if (mayConnect()) stream.write(octets)
    else onForbidden()
  })
}
