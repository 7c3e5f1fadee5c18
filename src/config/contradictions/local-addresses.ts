// Addresses of this machine from which the broker cannot be reached, as far as that shows without trying.

import { isIP } from 'node:net'
import type { Path } from '../reading/path.ts'
import type { Config } from '../schema.ts'
import { brokerUrls, hostOf } from '../sections/addresses.ts'
import { isLoopback } from '../sections/networks.ts'
import type { Contradiction } from './contradiction.ts'

/** Of `broker.localAddresses`. */
export function* localAddressContradictions({ broker }: Config): Generator<Contradiction> {
  const { localAddresses, url } = broker
  if (localAddresses.length === 0) return
  const list: Path = ['broker', 'localAddresses']
  if (url === 'embedded') {
    const about: [Path, Path] = [list, ['broker', 'url']]
    yield { about, found: 'addresses', expected: 'none, as the embedded broker is in the gateway itself' }
    return
  }
  const first = new Map<string, number>()
  for (const [i, address] of localAddresses.entries()) {
    const path = [...list, i]
    const other = first.get(canonical(address))
    if (other === undefined) first.set(canonical(address), i)
    else {
      const about: [Path, Path] = [path, [...list, other]]
      yield { about, found: `the address of broker.localAddresses[${other}] again`, expected: 'each once' }
    }
  }
  for (const [i, one] of brokerUrls({ url }).entries()) {
    const host = hostOf(one)
    const family = isIP(host)
    if (family === 0) continue // names are looked up when the gateway runs
    const place: Path = typeof url === 'string' ? ['broker', 'url'] : ['broker', 'url', i]
    const alike = localAddresses.filter((address) => isIP(address) === family)
    if (alike.length === 0) {
      const found = `addresses of IPv${family === 4 ? 6 : 4} only`
      yield {
        about: [list, place],
        found,
        expected: `one of IPv${family}, as the broker has such an address`,
      }
    } else if (!isLoopback(host) && alike.every(isLoopback)) {
      const expected = 'one of a network that leads to the broker'
      yield { about: [list, place], found: 'addresses that lead to this machine only', expected }
    }
  }
}

/** IPv6 addresses have several forms. */
const canonical = (address: string): string =>
  isIP(address) === 6 ? hostOf(`http://[${address.replace(/%.*$/, '')}]`) : address
