// What stands in for a DTLS listener of another gateway.

import type { Draft, Tree } from './draft.ts'
import type { Setting } from './settings.ts'

/** A DTLS listener of another gateway. */
export interface DtlsListener {
  readonly version: 4 | 6
  readonly port: string
  /** its settings: certificate, key and so on */
  readonly used: readonly Setting[]
}

/**
 * Adds a listener in plain UDP on loopback: what was encrypted must not go on unencrypted because of an import. A `dtls://`
 * listener cannot be made of the settings, since it asks each sensor for a key or certificate of its own, which they do not have.
 */
export function addDtlsStandIn(draft: Draft, { version, port, used }: DtlsListener): Tree {
  const url = `udp://${version === 4 ? '127.0.0.1' : '[::1]'}:${port}`
  const listener = draft.add('listeners', { url })
  draft.comment(listener, 'stands in for a DTLS listener, and is reached from this machine only')
  draft.note(
    `listeners ${url}`,
    'its kind of DTLS has no counterpart: so that nothing goes unencrypted, it is on loopback only; a dtls:// listener needs a key or certificate for each sensor (docs/security-dtls.md)',
  )
  for (const setting of used) draft.note(setting, 'not taken over: it belongs to DTLS')
  return listener
}
