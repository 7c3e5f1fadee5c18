// Contradictions between a listener and the lists of who may use it: networks where there is no IP, link addresses where nobody has one.

import type { Path } from '../reading/path.ts'
import type { Config } from '../schema.ts'
import { isLinkAddress } from '../sections/peers.ts'
import type { Contradiction } from './contradiction.ts'
import { peersOf } from './listener-peers.ts'

/** Of the listener with this number. */
export function* peerContradictions({ listeners }: Config, i: number): Generator<Contradiction> {
  const listener = listeners[i]
  if (listener === undefined) return
  const url: Path = ['listeners', i, 'url']
  const { hosts, nodes, isOne, areForwarded } = peersOf(listener)
  for (const key of ['allow', 'deny', 'forwarders'] as const) {
    const entries = listener[key]
    const wrong = (found: string, expected: string): Contradiction => ({
      about: [['listeners', i, key], url, ['listeners', i, 'forwarders']],
      found,
      expected,
    })
    if (entries.length === 0) continue
    const instead = key === 'forwarders' ? '; for a forwarder on it, node=encap stands in the url' : ''
    if (isOne) yield wrong('networks', `none, as a line has one peer and no network${instead}`)
    else if (key === 'forwarders' && areForwarded)
      yield wrong('forwarders', 'none, as node=encap in the url says that all on it are behind forwarders')
    else if (!hosts && !entries.every(isLinkAddress))
      yield wrong(
        'networks',
        'link addresses of nodes, such as "0013a20012345678", "0013a2*" or "5", as it has no IP',
      )
    else if (!nodes && entries.some(isLinkAddress))
      yield wrong(
        'link addresses',
        'networks: nodes with link addresses are on radios and behind forwarders, and this listener has neither',
      )
  }
}
