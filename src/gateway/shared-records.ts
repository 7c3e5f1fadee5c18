// Records of connections that sensors share, beside the sessions in the store.

import type { Store } from '../store/store.ts'
import type { SharedRecords } from '../upstream/aggregating/contract.ts'

/** `isLasting`: the store outlives the process. */
export function sharedRecordsIn(
  store: Pick<Store, 'asides' | 'keepAside' | 'onDurable'>,
  isLasting: boolean,
): SharedRecords {
  /** A write that failed is tried again, and so is this. */
  const whenDurable = (done: () => void): void =>
    store.onDurable((error) => (error === undefined ? done() : whenDurable(done)))
  return {
    loaded: store.asides,
    isLasting,
    keep: (name, record) => store.keepAside(name, () => record),
    onDurable: whenDurable,
  }
}
