// Contradictions of listeners that are lines: what a stream of octets cannot have, and what only a stream can have.

import { isLineUrl, lineAddress, lineIn } from '../../transport/line/url.ts'
import type { Path } from '../reading/path.ts'
import type { Config } from '../schema.ts'
import type { Contradiction } from './contradiction.ts'

/** Of the listener with this number. */
export function* lineContradictions({ listeners }: Config, i: number): Generator<Contradiction> {
  const listener = listeners[i]
  if (listener === undefined) return
  const url: Path = ['listeners', i, 'url']
  if (!isLineUrl(listener.url)) {
    if (listener.pace !== undefined)
      yield {
        about: [['listeners', i, 'pace'], url],
        found: 'a pace',
        expected: 'none, as only lines have one: serial://, xbee:// and tcp://',
      }
    return
  }
  for (const key of ['group', 'port', 'interface', 'hops'] as const) {
    if (listener.discovery?.[key] === undefined) continue
    yield {
      about: [['listeners', i, 'discovery', key], url],
      found: `a ${key}`,
      expected: `none, as a line has no ${key}: what is told to all goes to whoever is on it`,
    }
  }
  const line = lineOf(listener.url)
  const first = listeners.findIndex((other) => line !== undefined && lineOf(other.url) === line)
  if (line !== undefined && first < i && listeners[first]?.url !== listener.url)
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
