// What stands in for a DTLS listener of another gateway.

import type { Draft, Tree } from './draft.ts'
import type { Setting } from './settings.ts'

/** A DTLS listener of another gateway. */
export interface DtlsListener {
  readonly version: 4 | 6
  readonly port: string
  /** its settings: certificate, key and so on */
  readonly used: readonly Setting[]
  /** why no `dtls://` listener can be made of it, where that is always the same */
  readonly why?: string
}

/**
 * Adds a listener in plain UDP on loopback: what was encrypted must not go on unencrypted because of an import. A `dtls://`
 * listener cannot be made where sensors have no key or certificate of their own, which it asks each of them for.
 */
export function addDtlsStandIn(draft: Draft, { version, port, used, why }: DtlsListener): Tree {
  const url = `udp://${version === 4 ? '127.0.0.1' : '[::1]'}:${port}`
  const listener = draft.add('listeners', { url })
  draft.comment(listener, 'stands in for a DTLS listener, and is reached from this machine only')
  draft.note(
    `listeners ${url}`,
    'its kind of DTLS has no counterpart: so that nothing goes unencrypted, it is on loopback only; a dtls:// listener needs a key or certificate for each sensor (docs/security-dtls.md)',
  )
  if (why !== undefined) draft.note(`listeners ${url}`, `no dtls:// listener: ${why}`)
  for (const setting of used) draft.note(setting, 'not taken over: it belongs to DTLS')
  return listener
}
