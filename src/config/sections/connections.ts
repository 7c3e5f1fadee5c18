// The key `connections`: whether sensors have connections to the broker of their own, or share some.

import { z } from 'zod'
import { kind, whole } from './values.ts'

const error = '"perSensor", or { "shared": n } with n from 1 to 1000'

const shared = z.strictObject({
  shared: whole(1, 1000).describe('How many connections sensors share.'),
  publishesPerSecond: whole(1, 1_000_000)
    .optional()
    .describe(
      'Messages that one of them may publish in a second, for brokers that limit it; what is above waits its turn. Default: any number.',
    ),
})

/** One for each sensor, or so many for all of them. */
export const connections = () =>
  z
    .union([z.literal('perSensor'), shared], { error })
    .meta(kind({ kind: '`"perSensor"` or `{ "shared": n }`' }))

/** As it is read. */
export type Connections = z.output<ReturnType<typeof connections>>
