// What the peers of a listener are told apart by: addresses of IP, link addresses, or nothing, since there is only one.

import { isForRadios, lineIn } from '../../transport/line/url.ts'

interface Listening {
  readonly url: string
  readonly forwarders: readonly string[]
  readonly dtls?: { readonly forwarders?: readonly string[] } | undefined
}

/** How peers of a listener can be named. */
export interface ListenerPeers {
  /** by networks and addresses of IP */
  readonly hosts: boolean
  /** by link addresses: their own, or those of nodes behind forwarders */
  readonly nodes: boolean
  /** there is one, and its url says all */
  readonly isOne: boolean
  /** all are behind forwarders, which need not be named */
  readonly areForwarded: boolean
}

/** Reads it from the url, and from whether there are forwarders. */
export function peersOf({ url, forwarders, dtls }: Listening): ListenerPeers {
  const line = lineIn(url)
  const hasForwarders = forwarders.length > 0 || (dtls?.forwarders?.length ?? 0) > 0
  if (line === undefined) return { hosts: true, nodes: hasForwarders, isOne: false, areForwarded: false }
  const [areForwarded, isRadio, { kind }] = [line.node === 'encap', isForRadios(line), line.stream]
  return {
    hosts: kind === 'tcp-listen' || (kind === 'tcp' && !isRadio),
    nodes: areForwarded || isRadio || hasForwarders,
    isOne: !areForwarded && !isRadio && kind !== 'tcp-listen',
    areForwarded,
  }
}
