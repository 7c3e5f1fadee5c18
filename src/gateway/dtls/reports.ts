// What is said and counted of DTLS sessions: one line for each that begins or ends, and for handshakes that fail with what to change.

import type { Log } from '../../log.ts'
import { type Association, describePeer, type Listener } from '../../session/peers.ts'
import type { DtlsReports, EffectOf } from '../../transport/dtls/options.ts'
import type { Remote } from '../../transport/transport.ts'
import { type Counters, countDiscard, type DiscardBooks } from '../counters.ts'

/** Lines about failed handshakes in a minute: strangers must not fill the log. */
const MOST_LINES = 10
const MINUTE = 60_000

export interface DtlsReportParts {
  readonly log: Log
  readonly books: DiscardBooks & { readonly counters: Counters }
}

const named = (identity: string | undefined): string =>
  identity === undefined ? 'it' : `identity ${JSON.stringify(identity)}`

/** What to look at, by the cause. */
function hintOf({ cause, identity, undecrypted }: EffectOf<'failed'>): string | undefined {
  const records = `${undecrypted} ${undecrypted === 1 ? 'record' : 'records'} did not decrypt`
  switch (cause) {
    case 'wrong-key':
      return `${named(identity)}: its key is not the one in listeners[].dtls.psk (${records})`
    case 'unknown-identity':
      return `${named(identity)} has no key in listeners[].dtls.psk`
    case 'no-suite':
      return 'see listeners[].dtls.ciphers, and whether it has a key or a certificate'
    case 'certificate':
      return 'see listeners[].dtls.clientCa, crl and identity'
    default:
      return undefined
  }
}

export function createDtlsReports(
  { log, books }: DtlsReportParts,
  listener: Listener,
): Omit<DtlsReports, 'refused'> {
  const { name } = listener
  let lines = 0
  let unsaid = 0
  let since = Number.NEGATIVE_INFINITY

  /** How many were not told before this one; undefined: there were too many lines lately. */
  function mayTell(): number | undefined {
    const now = performance.now()
    if (now - since >= MINUTE) {
      lines = 0
      since = now
    }
    if (lines >= MOST_LINES) {
      unsaid += 1
      return undefined
    }
    lines += 1
    const before = unsaid
    unsaid = 0
    return before
  }

  const peerText = ({ address, port }: Remote, association?: Association): string =>
    describePeer({ address, port, association })

  return {
    opened({ identity, kind }, { suite, resumed, extendedMasterSecret, connectionId }, remote) {
      const facts = { suite, resumed, ems: extendedMasterSecret, cid: connectionId !== undefined }
      log.info({ listener: name, peer: peerText(remote), identity, kind, ...facts }, 'secure session')
    },
    moved({ identity }, from, to) {
      log.debug({ listener: name, identity, from: peerText(from), to: peerText(to) }, 'secure session moved')
    },
    closed({ identity }, why) {
      log.info({ listener: name, identity, why }, 'secure session ended')
    },
    failed(failure) {
      const unsaidBefore = mayTell()
      if (unsaidBefore === undefined) return
      const { remote, identity, cause, why } = failure
      const more = unsaidBefore === 0 ? {} : { unsaidBefore }
      const facts = { listener: name, peer: peerText(remote), identity, cause, why, ...more }
      log.warn({ ...facts, hint: hintOf(failure) }, 'handshake failed')
    },
    discarded(reason, from) {
      const origin = from && { address: from.address, port: from.port, listener }
      countDiscard(books, `dtls-${reason}`, origin)
    },
    fault(err) {
      books.counters.faults += 1
      log.error({ err, listener: name }, 'a mistake in DTLS: it cost one session; please report it')
    },
  }
}
