// Contradictions between values, which no single value shows. No text here quotes a value: it may have come from a secret.

import { isIP } from 'node:net'
import type { Config } from '../schema.ts'
import { brokerUrls, hostOf, isDtls, parseListenerUrl } from '../sections/addresses.ts'
import { matchesEverything } from '../sections/glob.ts'
import { isLoopback } from '../sections/networks.ts'
import { type Path, pathText } from './path.ts'

/** A contradiction. The first path is where it is reported, all paths are what it depends on. */
export interface Contradiction {
  readonly about: readonly [Path, ...Path[]]
  readonly found: string
  readonly expected: string
}

/** Whether connections to this url are encrypted. */
export const isTls = (url: string) => /^(mqtts|wss):/.test(url)

function* listenerContradictions({ listeners }: Config): Generator<Contradiction> {
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
    if (discovery && address && isIP(discovery.group) !== address.version) {
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
}

function* dtlsContradictions({ listeners }: Config): Generator<Contradiction> {
  for (const [i, { url, dtls, discovery }] of listeners.entries()) {
    const path = ['listeners', i]
    const place = [...path, 'dtls']
    const its = [...path, 'url']
    if (dtls !== undefined && !isDtls(url))
      yield { about: [place, its], found: 'a section for dtls://', expected: 'none, as the url is udp://' }
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

interface Credentials {
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
}

function* credentialContradictions(
  config: Config,
  path: Path,
  given: Credentials,
  tls: Path,
): Generator<Contradiction> {
  const { url, version } = config.broker
  if (given.password && !given.username && version !== '5') {
    yield {
      about: [
        [...path, 'password'],
        [...path, 'username'],
        ['broker', 'version'],
      ],
      found: 'a password without username',
      expected: 'both, unless broker.version is "5" (MQTT 3.1.1 forbids it)',
    }
  }
  for (const [one, other] of [
    ['cert', 'key'],
    ['key', 'cert'],
  ] as const) {
    if (given[one] && !given[other]) {
      const about: [Path, Path] = [
        [...tls, one],
        [...tls, other],
      ]
      yield { about, found: `${one} without ${other}`, expected: 'both, or neither' }
    }
  }
  if (given.cert && !brokerUrls({ url }).some(isTls)) {
    const about: [Path, Path] = [
      [...tls, 'cert'],
      ['broker', 'url'],
    ]
    yield { about, found: 'a certificate', expected: 'none, as broker.url is neither mqtts:// nor wss://' }
  }
}

function* brokerContradictions(config: Config): Generator<Contradiction> {
  const { tls, url, version, reconnect, ...own } = config.broker
  if (url === 'embedded' && version === '5') {
    const about: [Path, Path] = [
      ['broker', 'version'],
      ['broker', 'url'],
    ]
    yield { about, found: 'MQTT 5', expected: 'another version, as the embedded broker speaks 3.1.1 only' }
  }
  yield* credentialContradictions(config, ['broker'], { ...own, cert: tls?.cert, key: tls?.key }, [
    'broker',
    'tls',
  ])
  if (tls?.ca && !brokerUrls({ url }).some(isTls)) {
    const about: [Path, Path] = [
      ['broker', 'tls', 'ca'],
      ['broker', 'url'],
    ]
    yield { about, found: 'certificates', expected: 'none, as broker.url is neither mqtts:// nor wss://' }
  }
  if (reconnect.min > reconnect.max) {
    yield {
      about: [
        ['broker', 'reconnect', 'min'],
        ['broker', 'reconnect', 'max'],
      ],
      found: 'more than broker.reconnect.max',
      expected: 'at most as much',
    }
  }
  for (const [i, rule] of config.sensors.entries()) {
    const path = ['sensors', i]
    yield* credentialContradictions(config, path, rule, path)
  }
}

function* predefinedContradictions({ predefined }: Config): Generator<Contradiction> {
  const first = new Map<string, Path>()
  for (const [i, { match, topics }] of predefined.entries()) {
    for (const [id, topic] of Object.entries(topics)) {
      const path = ['predefined', i, 'topics', id]
      const key = JSON.stringify([matchesEverything(match) ? '*' : match, id])
      const other = first.get(key)
      if (other)
        yield { about: [path, other], found: `the id of ${pathText(other)} again`, expected: 'each id once' }
      else first.set(key, path)
      if (matchesEverything(match) && /(?<!\$)\$\{clientId\}/.test(topic)) {
        const about: [Path, Path] = [path, ['predefined', i, 'match']]
        yield {
          about,
          found: 'a ClientId variable',
          expected: 'none, as these topics are for senders without ClientId too',
        }
      }
    }
  }
}

function* consoleContradictions({ console: { enabled, url, token } }: Config): Generator<Contradiction> {
  if (!enabled || token !== undefined || isLoopback(hostOf(url))) return
  yield {
    about: [
      ['console', 'token'],
      ['console', 'url'],
    ],
    found: 'nothing',
    expected: 'a token, because the address can be reached from other machines',
  }
}

/** All contradictions of a configuration that is right in every single value. */
export const contradictions = (config: Config): Contradiction[] => [
  ...listenerContradictions(config),
  ...dtlsContradictions(config),
  ...brokerContradictions(config),
  ...predefinedContradictions(config),
  ...consoleContradictions(config),
]
