// Several gateways that share a database (`store.type`: "postgres"): one serves and the others stand by, or each serves its share.

import { hostname } from 'node:os'
import { z } from 'zod'
import { duration, kind, text } from '../sections/values.ts'

const LINK = /^tcp:\/\/(?:\[([0-9a-f:]+)\]|([\w.-]+)):(\d{1,5})$/i
/** It stands in messages between nodes, where there is no room for more. */
const NODE = 'the name of this node, of 1 to 128 octets without control characters'
const LINK_EXAMPLE = 'tcp://address:port, such as "tcp://10.0.0.11:1886"'

/** Host and port of such an address; undefined if it is none. */
export function readLinkUrl(url: string): { readonly host: string; readonly port: number } | undefined {
  const parts = LINK.exec(url)
  const port = Number(parts?.[3])
  return parts !== null && port <= 65_535 ? { host: parts[1] ?? parts[2] ?? '', port } : undefined
}

/** Whether a host stands for all addresses of a machine. */
export const isEverywhere = (host: string): boolean => host === '0.0.0.0' || host === '::'

const linkUrl = () =>
  z
    .string({ error: LINK_EXAMPLE })
    .refine((url) => readLinkUrl(url) !== undefined, { error: LINK_EXAMPLE })
    .meta(kind({ kind: 'url' }))

/** The section `cluster`. */
export const cluster = z.strictObject({
  node: text(NODE, 1, 128)
    .refine((node) => Buffer.byteLength(node) <= 128 && !/\p{C}/u.test(node), { error: NODE })
    .optional()
    .describe(
      'The name of this gateway among those that share the database. Default: the name of the host. Each needs one of its own.',
    ),
  lease: duration({ min: 1000, max: 60_000 })
    .prefault('5s')
    .describe(
      'How long a gateway that cannot be heard of any more counts as alive, before another one takes over its sensors. Renewed five times as often; all nodes should have the same.',
    ),
  listen: linkUrl()
    .optional()
    .describe(
      'Where the other nodes reach this one, on the network between them. With it every node serves its share of the sensors, and all nodes need it; without it one node serves and the others stand by.',
    ),
  advertise: linkUrl()
    .optional()
    .describe(
      'With `listen`: the address that others are told, where that differs, as in a container. Default: that of `listen`; for 0.0.0.0 or [::] the address from which this node speaks to the database.',
    ),
  secret: text('a text of 8 to 1024 characters', 8)
    .meta(kind({ kind: 'text', secret: true }))
    .optional()
    .describe('With `listen`: what nodes prove to each other to know, the same in all. Needed off loopback.'),
  hold: duration({ min: 100, max: 5000 })
    .prefault('2s')
    .describe(
      'With `listen`: how long a message of a sensor may be held or be under way between nodes until its owner takes it. It is dropped then, and the sensor repeats it; so it must be shorter than the time after which sensors do that.',
    ),
  settle: duration({ min: 0, max: 600_000 })
    .prefault('10s')
    .describe(
      'With `listen`: how long the members must have been the same before sensors move between nodes that are well, as to a node that was started.',
    ),
  drain: duration({ min: 0, max: 600_000 })
    .prefault('20s')
    .describe(
      'With `listen`: how long a node that is stopped goes on at most, to give its sensors to the others and until no message comes in by it. What stops it must wait for longer.',
    ),
})

type Written = z.output<typeof cluster>

/** What holds where nothing is written. */
export const clusterOf = ({
  cluster: written,
}: {
  readonly cluster?: Written | undefined
}): Written & { readonly node: string } => {
  const section = written ?? cluster.parse({})
  return { ...section, node: section.node ?? hostname() }
}

/** Whether every node serves its share of the sensors. */
export const isShared = ({ cluster: written }: { readonly cluster?: Written | undefined }): boolean =>
  written?.listen !== undefined

/** What the gateway's own ClientId at the broker ends with, so that several nodes which serve have one each. */
export const nodeSuffix = (config: { readonly cluster?: Written | undefined }): string =>
  isShared(config) ? `-${clusterOf(config).node}` : ''
