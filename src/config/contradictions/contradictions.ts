// Contradictions between values, which no single value shows. No text here quotes a value: it may have come from a secret.

import { clusterContradictions } from '../cluster/contradictions.ts'
import { type Path, pathText } from '../reading/path.ts'
import type { Config } from '../schema.ts'
import { brokerUrls, hostOf } from '../sections/addresses.ts'
import { matchesEverything } from '../sections/glob.ts'
import { isLoopback } from '../sections/networks.ts'
import { connectionContradictions } from './connections.ts'
import type { Contradiction } from './contradiction.ts'
import { listenerContradictions } from './listeners.ts'
import { localAddressContradictions } from './local-addresses.ts'

/** Whether connections to this url are encrypted. */
export const isTls = (url: string) => /^(mqtts|wss):/.test(url)

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

function* storeContradictions({ store }: Config): Generator<Contradiction> {
  const about = (key: keyof Config['store']): [Path, Path] => [
    ['store', key],
    ['store', 'type'],
  ]
  if (store.type === 'postgres') {
    if (store.url === undefined)
      yield {
        about: about('url'),
        found: 'nothing',
        expected: 'the url of a database, as store.type is "postgres"',
      }
    return
  }
  // user and password may have come from the url
  const given = (['url', 'username', 'password', 'replicated'] as const).filter(
    (key) => store[key] !== undefined,
  )
  for (const key of given) {
    if (key !== 'url' && key !== 'replicated' && store.url !== undefined) continue
    const found = key === 'url' ? 'the url of a database' : 'something about a database'
    yield { about: about(key), found, expected: 'none, unless store.type is "postgres"' }
  }
}

/** All contradictions of a configuration that is right in every single value. */
export const contradictions = (config: Config): Contradiction[] => [
  ...listenerContradictions(config),
  ...brokerContradictions(config),
  ...localAddressContradictions(config),
  ...connectionContradictions(config),
  ...clusterContradictions(config),
  ...predefinedContradictions(config),
  ...consoleContradictions(config),
  ...storeContradictions(config),
]
