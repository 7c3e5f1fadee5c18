// What a group writes: plain records with their keys, in the state of the moment at which they are asked for. Pure.

import type { Entry, Group } from './changes.ts'
import { changedParts } from './lasting.ts'
import { type Key, recordOf } from './records.ts'

/** A record of a session; undefined: it is to be deleted. */
export type GroupRecord = readonly [
  entry: Pick<Entry, 'slot' | 'number'>,
  key: Key,
  record: object | undefined,
]

export interface GroupRecords {
  readonly records: readonly GroupRecord[]
  /** All of them are on the disk. */
  confirm(): void
}

/** What a group writes, with the state of this moment. */
export function recordsOf(group: Group, toStored: (monotonic: number) => number): GroupRecords {
  const records: GroupRecord[] = []
  const confirmed: (() => void)[] = []
  for (const { entry, values } of group) {
    for (const [key, value] of values) {
      if (key === 'lasting' && value !== undefined && 'subscriptions' in value) {
        const parts = changedParts(value, entry.parts)
        for (const [part, record] of parts.records) records.push([entry, part, record])
        confirmed.push(parts.confirm)
      } else records.push([entry, key, value && recordOf(value, toStored)])
    }
  }
  return {
    records,
    confirm() {
      for (const step of confirmed) step()
    },
  }
}
