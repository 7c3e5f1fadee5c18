// What a session leaves behind so that a later handshake can be short: its master secret, and who it was for.

import type { IdentityKind } from '../effects.ts'
import { concatOctets, OctetReader, textOf, u8, u16, utf8Of, vector8, vector16 } from '../octets.ts'

/** Only sessions with the extended master secret leave one [7627 5.3]. */
export interface ResumableState {
  readonly suite: number
  readonly master: Uint8Array
  readonly kind: IdentityKind
  readonly identity: string | undefined
  /** proof that the credential is still the same: a trace of the key, or a certificate's serial number */
  readonly credential: string
  /** milliseconds since 1970: when the full handshake was, and when a certificate of the chain ends */
  readonly since: number
  readonly notAfter: number
}

const KINDS: readonly IdentityKind[] = ['psk', 'certificate', 'anonymous']
const LAYOUT = 1
/** stands for a certificate that does not end, and for keys, which have no date */
const NEVER = 2 ** 48 - 1

const time = (wall: number): Uint8Array => {
  const seconds = Math.min(Math.max(Math.floor(wall), 0), NEVER)
  const high = Math.floor(seconds / 2 ** 32)
  return concatOctets(u16(high), u16((seconds >>> 16) & 0xffff), u16(seconds & 0xffff))
}

const readTime = (reader: OctetReader): number =>
  reader.u16() * 2 ** 32 + reader.u16() * 2 ** 16 + reader.u16()

/** As octets, for a ticket. */
export const writeState = (state: ResumableState): Uint8Array =>
  concatOctets(
    u8(LAYOUT),
    u8(KINDS.indexOf(state.kind)),
    u16(state.suite),
    time(state.since),
    time(state.notAfter),
    state.master,
    vector8(utf8Of(state.credential)),
    state.identity === undefined ? u8(0) : concatOctets(u8(1), vector16(utf8Of(state.identity))),
  )

export function readState(octets: Uint8Array): ResumableState | undefined {
  const reader = new OctetReader(octets)
  if (reader.u8() !== LAYOUT) return undefined
  const kind = KINDS[reader.u8()]
  const suite = reader.u16()
  const since = readTime(reader)
  const notAfter = readTime(reader)
  const master = Uint8Array.from(reader.octets(48))
  const credential = textOf(reader.vector8())
  const identity = reader.u8() === 1 ? textOf(reader.vector16()) : undefined
  if (!reader.complete || kind === undefined || credential === undefined) return undefined
  return { suite, master, kind, identity, credential, since, notAfter }
}
