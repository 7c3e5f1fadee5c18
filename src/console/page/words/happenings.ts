// The kinds of events, in words. Pure.

import type { HappeningKind } from '../../contract/happenings.ts'

/** What a kind of event is called, and what it means. */
export const HAPPENINGS: Readonly<Record<HappeningKind, { readonly label: string; readonly text: string }>> =
  {
    lost: { label: 'Lost', text: 'A sensor was silent for longer than it promised.' },
    refused: { label: 'Refused', text: 'Somebody was refused, by the gateway or by the broker.' },
    contested: { label: 'Same ClientId', text: 'Two devices use one ClientId and take it from each other.' },
    dropped: { label: 'Dropped', text: 'Messages of a sensor were dropped.' },
    'dead-letter': {
      label: 'Dead letter',
      text: 'The broker will not have a message that was acknowledged to its sensor.',
    },
    broker: { label: 'Broker', text: 'The broker came, went, or refused the gateway.' },
    reload: { label: 'Configuration', text: 'The configuration was loaded again, or could not be.' },
    gateway: {
      label: 'Gateway',
      text: 'The gateway itself: a start, a part that ended, a store that cannot write.',
    },
  }
