// Which addresses a listener takes datagrams from, and which of them may speak for other nodes [5.5, SN-FWD-9].

import type { ListenerConfig } from '../../config/schema.ts'
import { globToMatcher } from '../../config/sections/glob.ts'
import { matcher } from '../../config/sections/networks.ts'
import type { Association } from '../../session/peers.ts'
import { isLineUrl, readLineUrl } from '../../transport/line/url.ts'

export interface Admission {
  /** whether this address may send here at all */
  admits(address: string): boolean
  /** whether it may speak for other nodes: who it has proved to be says that, and the address only where it has proved nothing [SN-FWD-9] */
  isForwarder(address: string, association?: Association): boolean
}

/** Compiles a listener's networks. Whoever is at the other end of a line was put there; its url says if that is a forwarder. */
export function admissionOf(
  config: Pick<ListenerConfig, 'url' | 'allow' | 'deny' | 'forwarders' | 'dtls'>,
): Admission {
  if (isLineUrl(config.url)) {
    const line = readLineUrl(config.url)
    const isForwarder = 'node' in line && line.node === 'encap'
    return { admits: () => true, isForwarder: () => isForwarder }
  }
  const allowed = matcher(config.allow)
  const denied = matcher(config.deny)
  const isNetwork = matcher(config.forwarders)
  const isIdentity = (config.dtls?.forwarders ?? []).map(globToMatcher)
  return {
    admits: (address) => (config.allow.length === 0 || allowed(address)) && !denied(address),
    isForwarder: (address, association) =>
      association === undefined
        ? isNetwork(address)
        : isIdentity.some((matches) => matches(association.identity)),
  }
}
