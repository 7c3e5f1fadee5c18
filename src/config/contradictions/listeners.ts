// Contradictions within the section `listeners`: addresses taken twice, and keys of another kind of listener.

import { isIP } from 'node:net'
import { lineAddress, lineIn } from '../../transport/line/url.ts'
import type { Path } from '../reading/path.ts'
import type { Config } from '../schema.ts'
import { isDtls, parseListenerUrl } from '../sections/addresses.ts'
import type { Contradiction } from './contradiction.ts'

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
    if (discovery && address && !isDtls(url) && discovery.group === undefined)
      yield {
        about: [
          [...path, 'discovery', 'group'],
          [...path, 'url'],
        ],
        found: 'no group',
        expected: 'a multicast group such as "225.1.1.1" or "ff02::1:5", or an IPv4 broadcast address',
      }
    if (discovery?.group && address && isIP(discovery.group) !== address.version) {
      yield {
        about: [
          [...path, 'discovery', 'group'],
          [...path, 'url'],
        ],
        found: `an IPv${isIP(discovery.group)} address`,
        expected: `one of IPv${address.version}, as the listener's`,
      }
    }
  }
  yield* dtlsContradictions(config)
}

/** What a line cannot have, since one peer is at its other end, and what only a line can have. */
function* lineContradictions({ listeners }: Config, i: number): Generator<Contradiction> {
  const listener = listeners[i]
  const line = listener && lineOf(listener.url)
  if (listener === undefined) return
  const url: Path = ['listeners', i, 'url']
  if (line === undefined) {
    if (listener.pace !== undefined)
      yield {
        about: [['listeners', i, 'pace'], url],
        found: 'a pace',
        expected: 'none, as only lines have one: serial://, xbee:// and tcp://',
      }
    return
  }
  for (const key of ['allow', 'deny', 'forwarders'] as const) {
    if (listener[key].length === 0) continue
    const instead = key === 'forwarders' ? '; for a forwarder on it, node=encap stands in the url' : ''
    yield {
      about: [['listeners', i, key], url],
      found: 'networks',
      expected: `none, as a line has one peer and no network${instead}`,
    }
  }
  for (const key of ['group', 'port', 'interface'] as const) {
    if (listener.discovery?.[key] === undefined) continue
    yield {
      about: [['listeners', i, 'discovery', key], url],
      found: `a ${key}`,
      expected: 'none, as a line has no group: ADVERTISE goes to all that is on it',
    }
  }
  const first = listeners.findIndex((other) => lineOf(other.url) === line)
  if (first < i && listeners[first]?.url !== listener.url)
    yield {
      about: [url, ['listeners', first, 'url']],
      found: `the line of listeners[${first}]`,
      expected: 'a line of its own',
    }
}

/** What tells lines apart; undefined for an url of another kind. */
function lineOf(url: string): string | undefined {
  const line = lineIn(url)
  return line && lineAddress(line)
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
