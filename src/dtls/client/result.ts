// What a finished handshake of a client leaves: what is told of the session, and what may resume it.

import type { SessionInfo } from '../effects.ts'
import { hexOf } from '../octets.ts'
import type { Channel } from '../record/channel.ts'
import { recordOverhead } from '../record/protection.ts'
import type { Suite } from '../suites.ts'
import type { ClientResumption, ClientSettings } from './options.ts'
import type { ClientHandshake } from './state.ts'

/** The identity is the server's where it has a certificate, else the one that both know. */
export function infoOf(
  { server, resumed, extendedMasterSecret }: ClientHandshake,
  suite: Suite,
  { ownCid, peerCid }: Channel,
  { psk }: ClientSettings,
): SessionInfo {
  return {
    identity: server?.identity ?? psk?.identity,
    kind: suite.exchange === 'ecdhe-ecdsa' ? 'certificate' : 'psk',
    suite: suite.name,
    resumed,
    extendedMasterSecret,
    connectionId: ownCid.length === 0 ? undefined : hexOf(ownCid),
    overhead: recordOverhead(suite.cipher, peerCid.length),
  }
}

/** Undefined where the server keeps nothing, or without the extended master secret [7627 5.3]. */
export function resumptionOf(
  { extendedMasterSecret, ticket, serverSessionId, resumed }: ClientHandshake,
  suite: Suite,
  master: Uint8Array,
  { resume }: ClientSettings,
): ClientResumption | undefined {
  if (!extendedMasterSecret || (ticket === undefined && serverSessionId.length === 0)) return undefined
  return {
    suite: suite.code,
    master: Uint8Array.from(master),
    sessionId: serverSessionId,
    ticket: ticket ?? (resumed ? resume?.ticket : undefined),
  }
}
