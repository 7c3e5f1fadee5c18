// Several gateways that serve the same sensors one after the other: they share a database (`store.type`: "postgres").

import { hostname } from 'node:os'
import { z } from 'zod'
import { duration, text } from '../sections/values.ts'

/** The section `cluster`. */
export const cluster = z.strictObject({
  node: text('the name of this node', 1, 128)
    .optional()
    .describe(
      'The name of this gateway among those that share the database. Default: the name of the host. Each needs one of its own.',
    ),
  lease: duration({ min: 1000, max: 60_000 })
    .prefault('5s')
    .describe(
      'How long a gateway that cannot be heard of any more counts as alive, before another one takes over its sensors. Renewed five times as often; all nodes should have the same.',
    ),
})

/** What holds where nothing is written. */
export const clusterOf = ({
  cluster: written,
}: {
  readonly cluster?: z.output<typeof cluster> | undefined
}): { readonly node: string; readonly lease: number } => {
  const { node, lease } = written ?? cluster.parse({})
  return { node: node ?? hostname(), lease }
}
