// May this hello resume a session [5246 7.4.1.3; 7627 5.3; 5077 3.4]? Undefined = no: the handshake is a full one.

import { HmacKey } from '../../crypto/hmac.ts'
import type { Turn } from '../../effects.ts'
import { type Failure, failure } from '../../failure.ts'
import { hexOf, holdsU16, utf8Of } from '../../octets.ts'
import type { ResumableState } from '../../resumption/state.ts'
import type { Suite } from '../../suites.ts'
import type { Who } from '../association.ts'
import type { ServerContext } from '../context.ts'
import type { ServerSettings } from '../options.ts'
import type { Offer } from './negotiate.ts'

export interface Resumption {
  readonly suite: Suite
  readonly state: ResumableState
  readonly who: Who
}

const QUESTION = utf8Of('which key it was')

/** Tells whether a key is still the same without keeping it. */
export const traceOfKey = (key: Uint8Array): string => hexOf(new HmacKey(key).codeOf(QUESTION).subarray(0, 8))

/** Whether this is the key that the handshake was made with. */
export const isKeyOf = ({ credential }: Pick<Who, 'credential'>, key: Uint8Array | undefined): boolean =>
  key !== undefined && traceOfKey(key) === credential

export function chooseResumption(
  { cache, tickets, settings }: ServerContext,
  offer: Offer,
  turn: Turn,
): Resumption | Failure | undefined {
  if (settings.resumption <= 0) return undefined
  const { hello, ticket } = offer
  const byTicket = ticket !== undefined && ticket.length > 0 ? tickets.open(ticket) : undefined
  const state = byTicket ?? cache.find(hello.sessionId)
  if (state === undefined) return undefined
  const age = turn.wall - state.since
  if (age < 0 || age > settings.resumption || turn.wall > state.notAfter) return undefined
  const suite = settings.suites.find(({ code }) => code === state.suite)
  if (suite === undefined || !holdsU16(hello.suites, suite.code)) return undefined
  if (!isStillTrusted(state, settings)) return undefined
  // every state that is kept is of a session with it, and it must not get lost on the way
  if (!offer.extendedMasterSecret)
    return failure('handshake_failure', 'protocol', 'it resumes without its extended master secret')
  const { kind, identity, credential, notAfter } = state
  return { suite, state, who: { kind, identity, credential, notAfter } }
}

/**
 * Whether the key is still this identity's, and the certificate not revoked. A key that is looked up outside is not waited for:
 * `later` is what then holds.
 */
export function isStillTrusted(
  { kind, identity, credential }: Pick<Who, 'kind' | 'identity' | 'credential'>,
  { findKey, clientTrust, clientCertificate }: ServerSettings,
  later = false,
): boolean {
  switch (kind) {
    case 'psk': {
      const key = identity === undefined ? undefined : findKey?.(identity)
      return key === 'later' ? later : isKeyOf({ credential }, key)
    }
    case 'certificate':
      return clientTrust !== undefined && !clientTrust.revokes(credential)
    case 'anonymous':
      return clientTrust === undefined || clientCertificate === 'optional'
  }
}
