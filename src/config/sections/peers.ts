// Who is meant by a list of peers, on every kind of link: networks and addresses of IP, and link addresses, which radios and nodes
// behind bridges and forwarders have. The only place where addresses of peers are compared with the configuration [SN-FWD-9].

import { globToMatcher } from './glob.ts'
import { matcher, parseNetwork } from './networks.ts'

/** Whether a peer, or a node behind it, is meant. `address`: as in `Remote`. */
export type PeerTest = (address: string, nodeId?: Uint8Array) => boolean

/** Hex digits, as XBee modules and encapsulations have them, or a node number; `*` and `?` as in patterns of ClientIds. */
const LINK_ADDRESS = /^(?=.*[0-9a-f])[0-9a-f*?]{1,64}$/i

/** Whether an entry names nodes by their link addresses. */
export const isLinkAddress = (entry: string): boolean => LINK_ADDRESS.test(entry)

/** Whether an entry of such a list is legal. */
export const isPeerEntry = (entry: string): boolean =>
  parseNetwork(entry) !== undefined || isLinkAddress(entry)

/**
 * The address of IP in the address of a peer: as it is on UDP, and of whoever is at the other end of TCP (`tcp/10.0.0.9:4001`,
 * `bridge/10.0.0.9`, `aquila/10.0.0.9/2`).
 */
function hostOfPeer(address: string): string {
  if (!address.includes('/')) return address
  if (address.startsWith('tcp/')) return address.slice(4).replace(/:\d+$/, '')
  return address.replace(/^bridge\//, '').replace(/^[a-z0-9]+\/(.+)\/[^/]+$/, '$1')
}

/** The link address in the address of a peer, such as `xbee/0013a20012345678`. */
const linkAddressOf = (address: string): string | undefined =>
  /^(?!tcp\/|bridge\/)[a-z0-9]+\/(?:.*\/)?([0-9a-f]+)$/i.exec(address)?.[1]

const hex = (octets: Uint8Array): string =>
  Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('')

/** A test for such a list; nobody is meant by an empty one. Throws for an entry that is not legal. */
export function peerMatcher(entries: readonly string[]): PeerTest {
  const isInNetwork = matcher(entries.filter((entry) => !isLinkAddress(entry)))
  const links = entries.filter(isLinkAddress).map((entry) => entry.toLowerCase())
  if (links.length === 0) return (address) => isInNetwork(hostOfPeer(address))
  const patterns = links.map(globToMatcher)
  // of node ids there are whole octets: "5" means 05
  const ids = links.map((entry) =>
    globToMatcher(/^.(?:..)*$/.test(entry) && !/[*?]/.test(entry) ? `0${entry}` : entry),
  )
  const fits = (tests: typeof patterns, text: string) => tests.some((test) => test(text))
  return (address, nodeId) => {
    if (isInNetwork(hostOfPeer(address))) return true
    const link = linkAddressOf(address)
    if (link !== undefined && fits(patterns, link.toLowerCase())) return true
    return nodeId !== undefined && fits(ids, hex(nodeId))
  }
}

/** The same for a list that bounds who may: everybody if it is empty. */
export function peerBound(entries: readonly string[]): PeerTest {
  const isMeant = peerMatcher(entries)
  return entries.length === 0 ? () => true : isMeant
}
