// What a shared connection works with: above all the network connection below it, that of `upstream/mqtt`, whose tokens are packet
// identifiers here.

import type { OnUpstreamEvent, UpstreamConnection, UpstreamOptions } from '../upstream.ts'
import type { PoolOptions } from './contract.ts'
import type { ConnectionKeeper, ConnectionRecords, MessageNumbers } from './records.ts'

export interface LowerConnection extends Omit<UpstreamConnection, 'subscribe'> {
  /** `identifier`: told with each message that comes for it, where the broker can */
  subscribe(token: number, filter: string, qos: 0 | 1 | 2, replay: boolean, identifier: number): void
  /** Asks for a sign of life, which comes after the answers to all before; returns how many that makes. */
  ping(): number
}

/** What a shared connection works with. */
export interface SharedConnectionParts {
  readonly clientId: string
  readonly pool: () => PoolOptions
  readonly options: () => UpstreamOptions
  /** makes the network connection below */
  lower(onEvent: OnUpstreamEvent, onPong: (pings: number) => void): LowerConnection
  readonly keeper: ConnectionKeeper
  /** what an earlier process has left; undefined: what the broker may have under this ClientId is not its own */
  readonly records: ConnectionRecords | undefined
  readonly numbers: MessageNumbers
  readonly now: () => number
}
