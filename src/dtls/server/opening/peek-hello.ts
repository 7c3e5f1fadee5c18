// What can be seen of a hello without reading it: strangers may send any number of them, and those who have a session go first.

import { CLIENT_HELLO, MESSAGE_HEADER } from '../../handshake/messages.ts'
import { HANDSHAKE, HEADER_LENGTH } from '../../record/record.ts'

/** Whether a hello shows a cookie, whatever that is worth. */
export type HelloKind = 'bare' | 'with-cookie'

/** In front of the session id: version and random. */
const SESSION_ID_AT = HEADER_LENGTH + MESSAGE_HEADER + 2 + 32

/** Undefined for a datagram that does not begin with a hello; nothing in it is checked. */
export function peekHello(datagram: Uint8Array): HelloKind | undefined {
  const isPlainHandshake = datagram[0] === HANDSHAKE && datagram[3] === 0 && datagram[4] === 0
  if (!isPlainHandshake || datagram[HEADER_LENGTH] !== CLIENT_HELLO) return undefined
  const cookieAt = SESSION_ID_AT + 1 + (datagram[SESSION_ID_AT] ?? 0)
  return (datagram[cookieAt] ?? 0) === 0 ? 'bare' : 'with-cookie'
}
