// What several gateways need that share their sensors.

import { withoutKey } from '../../transport/line/url.ts'
import type { Contradiction } from '../contradictions/contradiction.ts'
import type { Config } from '../schema.ts'

/** Of a configuration with a section `cluster`. */
export function* clusterContradictions({ cluster, store, listeners }: Config): Generator<Contradiction> {
  if (cluster === undefined) return
  if (store.type !== 'postgres') {
    yield {
      about: [['cluster'], ['store', 'type']],
      found: 'something about several gateways',
      expected: 'none, unless store.type is "postgres", which they can share',
    }
  }
  for (const [i, { name, url }] of listeners.entries()) {
    if (name !== withoutKey(url)) continue
    yield {
      about: [['listeners', i, 'name'], ['cluster']],
      found: 'nothing',
      expected: 'a name, the same in all nodes, as sessions are stored with it',
    }
  }
}
