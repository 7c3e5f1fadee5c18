// JSON Schemas of what happened: the history of the last minutes, and who was refused lately.

import type { HistoryReport, HistorySample } from '../contract/gateway.ts'
import type { DropEntry, Happening, HappeningKind, RefusalEntry } from '../contract/happenings.ts'
import { tone } from './schemas/sensor-schemas.ts'
import { counts, listOf, object, optional, type Schema, text, time, whole } from './schemas/shapes.ts'

/** Every kind of event; one that is missing does not compile. */
export const KINDS = Object.keys({
  lost: true,
  refused: true,
  contested: true,
  dropped: true,
  'dead-letter': true,
  broker: true,
  reload: true,
  gateway: true,
} satisfies Record<HappeningKind, true>)

const sample: HistorySample = {
  at: 1_790_000_000_000,
  received: 120,
  sent: 97,
  published: 60,
  delivered: 12,
  dropped: 1,
  droppedBy: { malformed: 1 },
  changes: 4,
  queued: 0,
  refused: 0,
  losses: 0,
  refusals: 0,
  kernelDrops: 0,
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
            droppedBy: counts('the same by reason'),
            changes: whole('changes of state of sensors since the console started'),
            queued: whole('messages that wait for sensors at this moment'),
            refused: whole('attempts to connect a sensor to the broker that failed since the start'),
            losses: whole('sensors that fell silent since the start'),
            refusals: whole('how often somebody was refused since the start'),
            kernelDrops: whole('datagrams that the system dropped since the start, where it tells'),
          }),
        ),
        description: 'oldest first; at most 300 of a second each, or 1440 of a minute each',
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
      next: optional(text('what to do, where the key does not say it')),
      key: optional(text('keys of the configuration that decide')),
      address: text('where the sender is, with `/node` behind a forwarder'),
      listener: text('name of the listener that it was heard on'),
      clientId: optional(text('the ClientId that it gave')),
      returnCode: optional(whole('what was answered, where there was an answer')),
      detail: optional(text('what the broker said')),
      docs: optional(text('path of the page that explains it')),
    }),
  },
  {
    $id: 'Happening',
    ...object<Happening>({
      id: text('names the event; stays when it happens again'),
      at: time('the last time'),
      firstAt: time('the first time'),
      times: whole('how often within a minute'),
      kind: { type: 'string', enum: KINDS },
      tone,
      text: text('what happened'),
      clientId: optional(text('the sensor')),
      address: optional(text('its address, with `/node` behind a forwarder')),
      reason: optional(text('why, for programs')),
      detail: optional(text('topic, what the broker said, or what changed')),
      key: optional(text('keys of the configuration that decide')),
      docs: optional(text('path of the page that explains it')),
    }),
  },
  {
    $id: 'Drop',
    ...object<DropEntry>({
      reason: text('why it was dropped'),
      at: time('the last time'),
      firstAt: time('the first time that is remembered'),
      times: whole('how often'),
      address: optional(text('where it came from, the last time')),
      listener: optional(text('name of the listener that it was heard on')),
      clientId: optional(text('whose it was')),
    }),
  },
]
