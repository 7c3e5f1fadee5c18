// The totals that the page plots, so that its plots need not start empty: the last five minutes second by second, and the last day
// minute by minute. One small timer.

import type { HistoryReport, HistorySample } from './contract/gateway.ts'
import type { GatewayView } from './view.ts'

export interface History {
  report(step?: 'second' | 'minute'): HistoryReport
  /** Begins to take samples. */
  start(): void
  close(): void
}

/** Five minutes at the usual interval of a second, and a day of minutes. */
const MOST = 300
const MOST_MINUTES = 1440

/** Samples of the usual interval in one of a minute. */
const PER_MINUTE = 60

/** Samples between two looks at the listeners, which ask the system. */
const LISTENERS_EVERY = 5

const total = (table: Readonly<Record<string, number>>): number =>
  Object.values(table).reduce((sum, times) => sum + times, 0)

/** Takes a sample every `interval` milliseconds from `start` on, and forgets those that are too old. */
export function createHistory(
  view: Pick<GatewayView, 'info' | 'broker' | 'listeners' | 'onChange'>,
  interval: number,
  onError: (error: unknown) => void,
): History {
  const seconds: HistorySample[] = []
  const minutes: HistorySample[] = []
  let changes = 0
  let taken = 0
  let kernelDrops = 0
  let stop = () => {}

  async function take(): Promise<void> {
    try {
      const { counters, queuedMessages } = await view.info()
      const { refused } = await view.broker()
      const { receivedDatagrams, sentDatagrams, published, delivered } = counters
      if (taken % LISTENERS_EVERY === 0)
        kernelDrops = view.listeners().reduce((sum, { kernelDrops = 0 }) => sum + kernelDrops, 0)
      // one copy serves as long as nothing more is dropped
      const last = seconds.at(-1)
      const dropped = total(counters.dropped)
      const sample: HistorySample = {
        at: Date.now(),
        received: receivedDatagrams,
        sent: sentDatagrams,
        published,
        delivered,
        dropped,
        droppedBy: last?.dropped === dropped ? last.droppedBy : { ...counters.dropped },
        changes,
        queued: queuedMessages,
        refused,
        losses: total(counters.losses),
        refusals: total(counters.refusals),
        kernelDrops,
      }
      keep(seconds, sample, MOST)
      if (taken % PER_MINUTE === 0) keep(minutes, sample, MOST_MINUTES)
      taken += 1
    } catch (error) {
      onError(error)
    }
  }

  return {
    report: (step = 'second') =>
      step === 'second'
        ? { at: Date.now(), interval, samples: seconds }
        : { at: Date.now(), interval: interval * PER_MINUTE, samples: minutes },
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

function keep(samples: HistorySample[], sample: HistorySample, most: number): void {
  samples.push(sample)
  if (samples.length > most) samples.shift()
}
