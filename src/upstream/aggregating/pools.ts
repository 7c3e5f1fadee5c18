// All connections that sensors share, in pools: which of them a sensor uses, and what earlier settings have left at the broker.

import type { OnUpstreamEvent, UpstreamConnection, UpstreamOptions } from '../upstream.ts'
import type { LowerConnection } from './connection-parts.ts'
import type { SharedConnectionStats, SharingSensor } from './contract.ts'
import type { SharedMember } from './member.ts'
import { ConnectionKeeper, connectionsIn, dropRecords, MessageNumbers, readRecords } from './records.ts'
import { connectionFor } from './routing/assignment.ts'
import { SharedConnection } from './shared-connection.ts'

/** What pools work with. */
export interface PoolsParts {
  readonly options: () => UpstreamOptions
  lower(onEvent: OnUpstreamEvent, onPong: (pings: number) => void): LowerConnection
  /** a connection of its own, to end what is left */
  single(onEvent: OnUpstreamEvent): UpstreamConnection
  readonly now: () => number
}

/** The ClientId of one connection of a pool. */
export const sharedName = (base: string, index: number): string => `${base}${index + 1}`

export class Pools {
  readonly #parts: PoolsParts
  readonly #connections = new Map<string, SharedConnection>()
  readonly #numbers: MessageNumbers

  constructor(parts: PoolsParts) {
    this.#parts = parts
    const { records, own, random = Math.random } = parts.options()
    this.#numbers = new MessageNumbers(records, own.clientId, random)
    this.#endLeftovers()
  }

  /** Throws an Error if there is no such pool. */
  member(sensor: SharingSensor, onEvent: OnUpstreamEvent): SharedMember {
    const pool = this.#poolOf(sensor.pool)
    const clientId = sharedName(pool.identity.clientId, connectionFor(sensor.clientId, pool.count))
    let connection = this.#connections.get(clientId)
    if (connection === undefined) {
      connection = this.#make(clientId, sensor.pool)
      this.#connections.set(clientId, connection)
    }
    return connection.member(sensor, onEvent)
  }

  stats(): SharedConnectionStats[] {
    return [...this.#connections.values()].map((connection) => connection.stats())
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.close()
  }

  #poolOf(name: string) {
    const pool = this.#parts.options().pools?.get(name)
    if (pool === undefined) throw new Error(`there is no pool ${name} of shared connections`)
    return pool
  }

  #make(clientId: string, pool: string): SharedConnection {
    const { options, lower, now } = this.#parts
    const { records } = options()
    return new SharedConnection({
      clientId,
      pool: () => this.#poolOf(pool),
      options,
      lower,
      keeper: new ConnectionKeeper(records, clientId),
      records: records?.isLasting === true ? readRecords(records, clientId) : undefined,
      numbers: this.#numbers,
      now,
    })
  }

  /** Connections of earlier settings: the broker must not keep messages for them for ever. */
  #endLeftovers(): void {
    const { options, single } = this.#parts
    const { records, sharedNames } = options()
    if (records?.isLasting !== true || sharedNames === undefined) return
    const wanted = new Set(sharedNames)
    for (const clientId of connectionsIn(records)) {
      if (wanted.has(clientId)) continue
      const connection = single((event) => {
        if (event.type !== 'connected') return
        connection.close(false, true)
        dropRecords(records, clientId)
      })
      const identity = { ...options().own, clientId }
      setImmediate(() => connection.connect({ identity, clean: true, mend: false, will: undefined }))
    }
  }
}
