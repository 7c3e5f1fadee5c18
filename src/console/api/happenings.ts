// JSON Schemas of what happened: the history of the last minutes, and who was refused lately.

import type { HistoryReport, HistorySample } from '../history.ts'
import type { RefusalEntry } from '../view.ts'
import { listOf, object, optional, type Schema, text, time, whole } from './shapes.ts'

const sample: HistorySample = {
  at: 1_790_000_000_000,
  received: 120,
  sent: 97,
  published: 60,
  delivered: 12,
  dropped: 1,
  changes: 4,
  queued: 0,
  refused: 0,
}

/** What the description calls by name. */
export const happenings: readonly (Schema & { readonly $id: string })[] = [
  {
    $id: 'History',
    ...object<HistoryReport>({
      at: time("the gateway's clock now"),
      interval: whole('milliseconds between two samples'),
      samples: {
        ...listOf(
          object<HistorySample>({
            at: time('when it was taken'),
            received: whole('datagrams from sensors since the start'),
            sent: whole('datagrams to sensors since the start'),
            published: whole('application messages to the broker since the start'),
            delivered: whole('application messages from the broker since the start'),
            dropped: whole('what was discarded since the start, for whatever reason'),
            changes: whole('changes of state of sensors since the console started'),
            queued: whole('messages that wait for sensors at this moment'),
            refused: whole('attempts to connect a sensor to the broker that failed since the start'),
          }),
        ),
        description: 'oldest first, at most 300',
      },
    }),
    examples: [{ at: sample.at + 400, interval: 1000, samples: [sample] }],
  },
  {
    $id: 'Refusal',
    ...object<RefusalEntry>({
      at: time('the last time'),
      firstAt: time('the first time that is remembered'),
      times: whole('how often'),
      reason: text('why, for programs'),
      text: text('why, for people'),
      key: optional(text('keys of the configuration that decide')),
      address: text('where the sender is, with `/node` behind a forwarder'),
      listener: text('name of the listener that it was heard on'),
      clientId: optional(text('the ClientId that it gave')),
      returnCode: optional(whole('what was answered, where there was an answer')),
      detail: optional(text('what the broker said')),
    }),
  },
]
