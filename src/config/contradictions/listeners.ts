// Contradictions within the section `listeners`: addresses taken twice, and keys of another kind of listener.

import { isIP } from 'node:net'
import type { Path } from '../reading/path.ts'
import type { Config } from '../schema.ts'
import { isDtls, parseListenerUrl } from '../sections/addresses.ts'
import type { Contradiction } from './contradiction.ts'
import { lineContradictions } from './lines.ts'
import { peerContradictions } from './peers.ts'

/** Those of the section `listeners`. */
export function* listenerContradictions(config: Config): Generator<Contradiction> {
  const { listeners } = config
  for (const [i, { name, url, discovery }] of listeners.entries()) {
    const path = ['listeners', i]
    const address = parseListenerUrl(url)
    const twin = (same: (other: Config['listeners'][number]) => boolean) => {
      const first = listeners.findIndex(same)
      return first < i ? first : undefined
    }
    const sameUrl = address?.port === 0 ? undefined : twin((other) => other.url === url)
    const sameName = twin((other) => other.name === name)
    if (sameUrl !== undefined) {
      const about: [Path, Path] = [
        [...path, 'url'],
        ['listeners', sameUrl, 'url'],
      ]
      yield { about, found: `the url of listeners[${sameUrl}]`, expected: 'a url of its own' }
    }
    if (sameName !== undefined && (sameUrl === undefined || name !== url)) {
      const other: Path = ['listeners', sameName]
      const about: [Path, ...Path[]] = [
        [...path, 'name'],
        [...path, 'url'],
        [...other, 'name'],
        [...other, 'url'],
      ]
      yield { about, found: `the name of listeners[${sameName}]`, expected: 'a name of its own' }
    }
    yield* lineContradictions(config, i)
    yield* peerContradictions(config, i)
    if (discovery === undefined || address === undefined || isDtls(url)) continue
    const about: [Path, Path] = [
      [...path, 'discovery', 'group'],
      [...path, 'url'],
    ]
    if (discovery.group === undefined)
      yield {
        about,
        found: 'no group',
        expected: 'a multicast group such as "225.1.1.1" or "ff02::1:5", or an IPv4 broadcast address',
      }
    else if (isIP(discovery.group) !== address.version) {
      const found = `an IPv${isIP(discovery.group)} address`
      yield { about, found, expected: `one of IPv${address.version}, as the listener's` }
    }
  }
  yield* dtlsContradictions(config)
}

function* dtlsContradictions({ listeners }: Config): Generator<Contradiction> {
  for (const [i, { url, dtls, discovery }] of listeners.entries()) {
    const path = ['listeners', i]
    const place = [...path, 'dtls']
    const its = [...path, 'url']
    if (dtls !== undefined && !isDtls(url))
      yield {
        about: [place, its],
        found: 'a section for dtls://',
        expected: 'none, as the url is not dtls://',
      }
    if (!isDtls(url)) continue
    if (discovery !== undefined) {
      const expected = 'none, as nothing can be told to all in secret: set it at a listener with udp://'
      yield { about: [[...path, 'discovery'], its], found: 'a group for dtls://', expected }
    }
    const { psk, cert, key, clientCa, crl } = dtls ?? {}
    const keys: Path[] = ['psk', 'cert', 'key', 'clientCa', 'crl'].map((name) => [...place, name])
    const wrong = (name: string, found: string, expected: string): Contradiction => ({
      about: [[...place, name], ...keys, its],
      found,
      expected,
    })
    if (psk === undefined && !cert)
      yield {
        ...wrong(
          'psk',
          'neither psk nor cert',
          'a file of keys ("psk": { "file": "psk.txt" }), or a certificate',
        ),
      }
    if (psk !== undefined && psk.file === undefined && psk.keys === undefined)
      yield wrong('psk', 'neither file nor keys', 'one of them')
    if (cert && !key) yield wrong('key', 'cert without key', 'both, or neither')
    if (key && !cert) yield wrong('cert', 'key without cert', 'both, or neither')
    if (cert && !clientCa) yield wrong('clientCa', 'cert without clientCa', 'the authority of the sensors')
    if (clientCa && !cert) yield wrong('cert', 'clientCa without cert', 'both, or neither')
    if (crl && !clientCa) yield wrong('clientCa', 'crl without clientCa', 'both, or no crl')
  }
}
