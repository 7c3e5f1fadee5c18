// When CONNECT is said: at once, or where others may serve the sensors, when the way to the broker is open and it may still be said. A
// process that has stood still in between would otherwise take the connection from whoever serves the sensor by now, with a will.

import type { Duplex } from 'node:stream'

/** The event with which a stream is open; undefined: it does not tell, as WebSocket's. */
function openingOf(stream: Duplex): string | undefined {
  if ('encrypted' in stream) return 'secureConnect'
  return 'connecting' in stream ? 'connect' : undefined
}

/** `mayConnect`: undefined where nobody else serves; `onForbidden`: it may not be said any more. */
export function sayConnect(
  stream: Duplex,
  octets: Uint8Array,
  mayConnect: (() => boolean) | undefined,
  onForbidden: () => void,
): void {
  const opening = mayConnect && openingOf(stream)
  if (mayConnect === undefined || opening === undefined) return void stream.write(octets)
  stream.once(opening, () => {
    if (!stream.writable)
      stream.destroy() // it was ended meanwhile, and the broker has heard nothing of it
    else if (mayConnect()) stream.write(octets)
    else onForbidden()
  })
}
