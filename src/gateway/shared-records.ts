// Records of connections that sensors share, beside the sessions in the store.

import type { Store } from '../store/store.ts'
import type { SharedRecords } from '../upstream/aggregating/contract.ts'
import { whenDurable } from './effects/writing.ts'

/** `isLasting`: the store outlives the process. */
export function sharedRecordsIn(
  store: Pick<Store, 'asides' | 'keepAside' | 'onDurable'>,
  isLasting: boolean,
): SharedRecords {
  return {
    loaded: store.asides,
    isLasting,
    keep: (name, record) => store.keepAside(name, () => record),
    onDurable: (done) => whenDurable(store, done),
  }
}
