// Who a listener takes messages from, and which of them may speak for other nodes [5.5, SN-FWD-9].

import { unwrapMessage } from '../../codec/envelope.ts'
import type { ListenerConfig } from '../../config/schema.ts'
import { globToMatcher } from '../../config/sections/glob.ts'
import { isLinkAddress, peerBound, peerMatcher } from '../../config/sections/peers.ts'
import type { Association } from '../../session/peers.ts'
import { lineIn } from '../../transport/line/url.ts'

export interface Admission {
  /** whether this address may send this here; `bytes` say for which node behind it */
  admits(address: string, bytes?: Uint8Array): boolean
  /** whether a modem may call from this address, where modems call */
  admitsHost?(address: string): boolean
  /** whether it may speak for other nodes: who it has proved to be says that, and the address only where it has proved nothing [SN-FWD-9] */
  isForwarder(address: string, association?: Association): boolean
}

/** Compiles the lists of a listener. Of a line that is for many nodes, its url says so. */
export function admissionOf({
  url,
  allow,
  deny,
  forwarders,
  dtls,
}: Pick<ListenerConfig, 'url' | 'allow' | 'deny' | 'forwarders' | 'dtls'>): Admission {
  const [isAllowed, isDenied, isNamed] = [peerBound(allow), peerMatcher(deny), peerMatcher(forwarders)]
  const isIdentity = (dtls?.forwarders ?? []).map(globToMatcher)
  const mayBeAnyNode = allow.some(isLinkAddress)
  const namesNodes = mayBeAnyNode || deny.some(isLinkAddress)
  const nodeIn = (bytes: Uint8Array | undefined) => bytes && unwrapMessage(bytes)?.nodeId
  const isForNodes = lineIn(url)?.node === 'encap'
  return {
    admits(address, bytes) {
      const nodeId = namesNodes ? nodeIn(bytes) : undefined
      return isAllowed(address, nodeId) && !isDenied(address, nodeId)
    },
    // its nodes are looked at when they speak
    admitsHost: (host) => (mayBeAnyNode || isAllowed(host)) && !isDenied(host),
    isForwarder(address, association) {
      if (isForNodes) return true
      return association === undefined
        ? isNamed(address)
        : isIdentity.some((matches) => matches(association.identity))
    },
  }
}
