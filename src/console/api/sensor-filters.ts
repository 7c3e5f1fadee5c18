// What sensors can be found and sorted by.

import { state } from './schemas/sensor-schemas.ts'
import type { Schema } from './schemas/shapes.ts'

/** What sensors can be found and sorted by. */
export const sensorFilters: Record<string, Schema> = {
  search: { type: 'string', description: 'part of the ClientId, name, tag or address', examples: ['meter'] },
  topic: {
    type: 'string',
    description: 'part of a topic that it has registered or subscribed to, or a topic filter with wildcards',
    examples: ['hall/+/celsius'],
  },
  tag: { type: 'string', description: 'one of its tags' },
  state,
  sort: {
    type: 'string',
    enum: ['clientId', 'name', 'state', 'heardAt', 'queued', 'topics', 'since'],
    default: 'clientId',
    description: 'names in natural order: meter-9 before meter-10',
  },
  descending: { type: 'boolean', default: false },
}
