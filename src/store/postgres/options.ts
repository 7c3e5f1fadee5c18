// What a store on PostgreSQL is opened with.

import type { GroupedOptions } from '../group-writer.ts'
import type { StorePart } from '../part.ts'
import type { SlotOf } from '../store.ts'
import type { EngineOptions } from './engine/connection.ts'

export interface PostgresOptions extends GroupedOptions {
  readonly engine: Omit<EngineOptions, 'application'>
  /** its storage is itself on several machines */
  readonly replicated?: boolean | undefined
  /** told of what is wrong with the server's settings, too */
  readonly log?:
    | { error(message: string): void; info(message: string): void; warn?(message: string): void }
    | undefined
  /** only a part of the sessions is wanted; if another thread has taken the store with `takePostgresStore`, as whom */
  readonly part?: StorePart | undefined
  readonly slotOf?: SlotOf | undefined
}
