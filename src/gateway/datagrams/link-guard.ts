// Guards the links where several processes are ready to serve: nothing is taken and nothing leaves while another one may serve, and
// what sockets hold after this process stood still is thrown away first.

import type { Listener } from '../../session/peers.ts'
import type { LinkGuard } from '../../transport/guarded.ts'
import { countDiscard, type DiscardBooks } from '../counters.ts'
import type { Tenure } from '../tenure.ts'
import { StallWatch } from './stall.ts'

/** How often it is noted that the process runs, milliseconds. */
const BEAT = 100

/** Guards of all links of a process. */
export interface LinkGuards {
  guardOf(listener: Listener): LinkGuard
  close(): void
}

/** `books`: where what is not taken is counted, and what does not leave. */
export function createLinkGuards(
  tenure: Pick<Tenure, 'holds' | 'noteArrival'>,
  books: DiscardBooks,
): LinkGuards {
  const watch = new StallWatch(performance.now())
  let isPlanned = false

  function plan(): void {
    if (isPlanned || !watch.isClearing) return
    isPlanned = true
    setImmediate(() => {
      isPlanned = false
      watch.endTurn(performance.now())
      plan()
    })
  }

  const timer = setInterval(() => {
    watch.beat(performance.now())
    plan()
  }, BEAT).unref()

  return {
    guardOf: (listener) => ({
      takes({ address, port }) {
        const isStale = watch.isStale(performance.now())
        if (isStale) plan()
        tenure.noteArrival?.()
        const isOwner = tenure.holds()
        if (isOwner && !isStale) return true
        countDiscard(books, isOwner ? 'stalled' : 'no-owner', { address, port, listener })
        return false
      },
      letsGo(to) {
        if (tenure.holds()) return true
        countDiscard(books, 'no-owner', to && { address: to.address, port: to.port, listener })
        return false
      },
    }),
    close: () => clearInterval(timer),
  }
}
