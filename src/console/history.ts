// The last five minutes of the totals that the page plots, so that its plots need not start empty. One small timer.

import type { GatewayView } from './view.ts'

/** Totals at one moment; rates are their differences. */
export interface HistorySample {
  /** milliseconds since 1970 */
  readonly at: number
  /** datagrams from and to sensors since the start */
  readonly received: number
  readonly sent: number
  /** application messages to and from the broker since the start */
  readonly published: number
  readonly delivered: number
  /** what was discarded since the start, for whatever reason */
  readonly dropped: number
  /** changes of state of sensors since the console started */
  readonly changes: number
  /** messages that wait for sensors now */
  readonly queued: number
  /** attempts to connect a sensor to the broker that failed since the start */
  readonly refused: number
}

/** What a page asks for once. */
export interface HistoryReport {
  /** the gateway's clock now, milliseconds since 1970: a browser's may differ */
  readonly at: number
  /** milliseconds between two samples */
  readonly interval: number
  /** oldest first; at most 300 */
  readonly samples: readonly HistorySample[]
}

export interface History {
  report(): HistoryReport
  /** Begins to take samples. */
  start(): void
  close(): void
}

/** Five minutes at the usual interval of a second. */
const MOST = 300

/** Takes a sample every `interval` milliseconds from `start` on, and forgets those beyond the last 300. */
export function createHistory(
  view: Pick<GatewayView, 'info' | 'broker' | 'onChange'>,
  interval: number,
  onError: (error: unknown) => void,
): History {
  const samples: HistorySample[] = []
  let changes = 0
  let stop = () => {}

  async function take(): Promise<void> {
    try {
      const { counters, queuedMessages } = await view.info()
      const { refused } = await view.broker()
      const { receivedDatagrams, sentDatagrams, published, delivered, dropped } = counters
      samples.push({
        at: Date.now(),
        received: receivedDatagrams,
        sent: sentDatagrams,
        published,
        delivered,
        dropped: Object.values(dropped).reduce((sum, times) => sum + times, 0),
        changes,
        queued: queuedMessages,
        refused,
      })
      if (samples.length > MOST) samples.shift()
    } catch (error) {
      onError(error)
    }
  }

  return {
    report: () => ({ at: Date.now(), interval, samples }),
    start() {
      const unwatch = view.onChange(() => {
        changes += 1
      })
      const timer = setInterval(() => void take(), interval)
      void take()
      stop = () => {
        clearInterval(timer)
        unwatch()
      }
    },
    close: () => stop(),
  }
}
