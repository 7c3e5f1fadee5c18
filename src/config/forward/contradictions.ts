// Values of a forwarder's document that do not fit together, which no single value shows.

import { isLineUrl } from '../../transport/line/url.ts'
import type { Contradiction } from '../contradictions/contradiction.ts'
import type { Path } from '../reading/path.ts'
import { isDtls } from '../sections/addresses.ts'
import { type ParsedForward, type ParsedSource, type ParsedTarget, sourceOf, targetOf } from './schema.ts'
import { linkKindOf, nodeOf } from './wires.ts'

/** All of them. */
export function* forwardContradictions(parsed: ParsedForward): Generator<Contradiction> {
  yield* sourceContradictions(parsed.from.map(sourceOf), (i, key) =>
    typeof parsed.from[i] === 'string' ? ['from', i] : ['from', i, key],
  )
  yield* targetContradictions(targetOf(parsed.to), typeof parsed.to === 'string')
}

/** Links that are taken twice, and keys of another kind of link. */
function* sourceContradictions(
  sources: readonly ParsedSource[],
  at: (index: number, key: string) => Path,
): Generator<Contradiction> {
  for (const [i, source] of sources.entries()) {
    const url = at(i, 'url')
    const first = (same: (other: ParsedSource, index: number) => boolean): number | undefined => {
      const found = sources.findIndex(same)
      return found < i ? found : undefined
    }
    if (isDtls(source.url))
      yield {
        about: [url],
        found: 'a dtls:// url',
        expected:
          'a link in the clear: nodes with keys of their own speak with the gateway itself, which must know who they are',
      }
    const sameUrl = source.url.endsWith(':0') ? undefined : first((other) => other.url === source.url)
    if (sameUrl !== undefined)
      yield {
        about: [url, at(sameUrl, 'url')],
        found: `the url of from[${sameUrl}]`,
        expected: 'a url of its own',
      }
    const sameName = source.name && first((other) => (other.name ?? other.url) === source.name)
    if (sameName !== undefined && sameName !== '')
      yield {
        about: [at(i, 'name'), at(sameName, 'name')],
        found: `the name of from[${sameName}]`,
        expected: 'a name of its own',
      }
    if (source.pace !== undefined && !isLineUrl(source.url))
      yield {
        about: [at(i, 'pace'), url],
        found: 'a pace',
        expected: 'none, as only lines have one: serial:// and others',
      }
    if (source.group !== undefined && !source.url.startsWith('udp:'))
      yield { about: [at(i, 'group'), url], found: 'a group', expected: 'none, as only udp:// has one' }
    const own = nodeOf(sources, i)
    const twin = first((other, index) => linkKindOf(other.url) === 'wire' && nodeOf(sources, index) === own)
    if (linkKindOf(source.url) === 'wire' && twin !== undefined)
      yield {
        about: [at(i, 'node'), url, at(twin, 'node'), at(twin, 'url')],
        found: `the node id ${own} of from[${twin}]`,
        expected: 'an id of its own, as the gateway tells nodes apart by it (--node)',
      }
  }
}

/** Keys that do not fit the url of the gateway, or each other. */
function* targetContradictions(target: ParsedTarget, isShort: boolean): Generator<Contradiction> {
  const path = (key: string): Path => (isShort ? ['to'] : ['to', key])
  const wrong = (key: string, found: string, expected: string, ...others: string[]): Contradiction => ({
    about: [path(key), path('url'), ...others.map(path)],
    found,
    expected,
  })
  const { url, psk, pskFile, pskIdentity, ca, cert, key, serverName } = target
  const given = Object.entries({ psk, pskFile, pskIdentity, ca, cert, key, serverName })
  if (!isDtls(url)) {
    for (const [name, value] of given) {
      // keys that would not be used are a sign that somebody believes to be protected
      if (value !== undefined)
        yield wrong(name, 'a key of dtls://', 'none, as the url of "to" is not dtls://')
    }
    return
  }
  if (psk === undefined && pskFile === undefined && ca === undefined)
    yield wrong(
      'psk',
      'neither psk, pskFile nor ca',
      'a key ("psk": "identity:hexkey", --psk or MQTTSN_PSK), or "ca" for a gateway with a certificate',
      'pskFile',
      'ca',
    )
  if (psk !== undefined && pskFile !== undefined)
    yield wrong('pskFile', 'psk and pskFile', 'one of them', 'psk')
  if (pskIdentity !== undefined && pskFile === undefined)
    yield wrong('pskIdentity', 'an identity without pskFile', 'a pskFile, or none', 'pskFile')
  if (cert !== undefined && key === undefined)
    yield wrong('key', 'cert without key', 'both, or neither', 'cert')
  if (key !== undefined && cert === undefined)
    yield wrong('cert', 'key without cert', 'both, or neither', 'key')
  if (cert !== undefined && ca === undefined)
    yield wrong('ca', 'cert without ca', 'the authority of the gateway', 'cert')
}
