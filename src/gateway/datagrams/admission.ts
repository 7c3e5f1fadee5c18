// Which addresses a listener takes datagrams from, and which of them may speak for other nodes [5.5, SN-FWD-9].

import type { ListenerConfig } from '../../config/schema.ts'
import { matcher } from '../../config/sections/networks.ts'
import { isLineUrl, readLineUrl } from '../../transport/line/url.ts'

export interface Admission {
  /** whether this address may send here at all */
  admits(address: string): boolean
  /** whether it may speak for other nodes [SN-FWD-9] */
  isForwarder(address: string): boolean
}

/** Compiles a listener's networks. Whoever is at the other end of a line was put there; its url says if that is a forwarder. */
export function admissionOf(
  config: Pick<ListenerConfig, 'url' | 'allow' | 'deny' | 'forwarders'>,
): Admission {
  if (isLineUrl(config.url)) {
    const line = readLineUrl(config.url)
    const isForwarder = 'node' in line && line.node === 'encap'
    return { admits: () => true, isForwarder: () => isForwarder }
  }
  const allowed = matcher(config.allow)
  const denied = matcher(config.deny)
  return {
    admits: (address) => (config.allow.length === 0 || allowed(address)) && !denied(address),
    isForwarder: matcher(config.forwarders),
  }
}
