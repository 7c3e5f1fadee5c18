// What nodes say to each other so that one sees live what passes between another one and a sensor.

import type { BrokerStep, StateChange, WatchedPacket } from '../../console/contract/live.ts'
import { SEEN_KINDS, type SeenKind, type SeenOf } from '../../console/nodes.ts'

/** What goes over a link. */
export type WatchMessage =
  /** from now on the other one is to tell this of a sensor */
  | { readonly type: 'watch'; readonly id: number; readonly kind: SeenKind; readonly sensor: string }
  | { readonly type: 'unwatch'; readonly id: number }
  /** `seen`: octets in hexadecimal */
  | { readonly type: 'seen'; readonly id: number; readonly seen: object }

/** The message that was received; undefined if it is none. */
export function readWatchMessage(value: unknown): WatchMessage | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { type, id, kind, sensor, seen } = value as Record<string, unknown>
  if (!Number.isSafeInteger(id)) return undefined
  const known = { id: id as number }
  switch (type) {
    case 'watch': {
      const found = SEEN_KINDS.find((one) => one === kind)
      return found !== undefined && typeof sensor === 'string'
        ? { type, ...known, kind: found, sensor }
        : undefined
    }
    case 'unwatch':
      return { type, ...known }
    case 'seen':
      return typeof seen === 'object' && seen !== null ? { type, ...known, seen } : undefined
    default:
      return undefined
  }
}

/** As it goes over a link. */
export const writeSeen = <K extends SeenKind>(kind: K, seen: SeenOf[K]): object =>
  kind === 'packet'
    ? { ...seen, bytes: Buffer.from((seen as WatchedPacket).bytes).toString('hex') }
    : { ...seen }

type Fields = Readonly<Record<string, 'number' | 'string' | 'boolean'>>

const packetFields: Fields = {
  ...{ at: 'number', direction: 'string', address: 'string', port: 'number', listener: 'string' },
  ...{ bytes: 'string', type: 'string', text: 'string', repeated: 'boolean' },
}
const FIELDS: Readonly<Record<SeenKind, Fields>> = {
  packet: packetFields,
  broker: { at: 'number', direction: 'string', type: 'string', text: 'string', refused: 'boolean' },
  state: { at: 'number', from: 'string', to: 'string', why: 'string' },
}

/** What has come over a link, of this sensor; undefined if it cannot be that. */
export function readSeen(kind: SeenKind, clientId: string, value: object): SeenOf[SeenKind] | undefined {
  const seen = value as Record<string, unknown>
  for (const [name, type] of Object.entries(FIELDS[kind])) if (typeof seen[name] !== type) return undefined
  if (kind === 'state') return { ...seen, clientId } as unknown as StateChange
  if (kind === 'broker') return { ...seen, clientId } as unknown as BrokerStep
  const { lines } = seen
  if (!Array.isArray(lines) || !lines.every((line) => typeof line === 'string')) return undefined
  return { ...seen, clientId, bytes: Buffer.from(String(seen['bytes']), 'hex') } as unknown as WatchedPacket
}
