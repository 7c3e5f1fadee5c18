// Whether what was written of sessions is durable, for those who must not act before.

import type { Store } from '../../store/store.ts'

/** What is written of sessions. */
export interface Writing {
  /** all of it is durable */
  readonly isDurable: boolean
  /** Calls back, later, when all that is written by now is durable; never if this writer is deposed. */
  whenDurable(done: () => void): void
}

/** Calls back when all that is written by now is durable. A write that failed is tried again, and so is this. */
export function whenDurable(store: Pick<Store, 'onDurable'>, done: () => void): void {
  store.onDurable((error) => (error === undefined ? done() : whenDurable(store, done)))
}

/** `store`: that of the sessions; nothing is written as long as there is none. */
export const createWriting = (store: () => Store | undefined): Writing => ({
  get isDurable() {
    const { written, durable } = store() ?? { written: 0, durable: 0 }
    return written === durable
  },
  whenDurable(done) {
    const opened = store()
    if (opened === undefined) process.nextTick(done)
    else whenDurable(opened, done)
  },
})
