// What a store on PostgreSQL is opened with.

import type { GroupedOptions } from '../group-writer.ts'
import type { StorePart } from '../part.ts'
import type { SlotOf } from '../store.ts'
import type { EngineOptions } from './engine/connection.ts'
import type { Incarnation } from './lanes.ts'

export interface PostgresOptions extends GroupedOptions {
  readonly engine: Omit<EngineOptions, 'application'>
  /** its storage is itself on several machines */
  readonly replicated?: boolean | undefined
  /** told of what is wrong with the server's settings, too */
  readonly log?:
    | { error(message: string): void; info(message: string): void; warn?(message: string): void }
    | undefined
  /** only a part of the sessions is wanted; another thread has taken the store with `takePostgresStore` */
  readonly part?: StorePart | undefined
  readonly slotOf?: SlotOf | undefined
  /** this process, which may write already, and the lane of this writer; taken at the start unless told */
  readonly taken?: { readonly incarnation: Incarnation; readonly lane: number } | undefined
}
