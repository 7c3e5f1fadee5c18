// What groups write of a session that is forgotten while they are on their way.

import { describe, expect, it } from 'vitest'
import { Changes, type Group } from '../../src/store/changes.ts'
import { recordsOf } from '../../src/store/group-records.ts'
import { richSession } from './sessions.ts'

/** Keys on the disk after these groups, each in the state in which it is sent. */
function send(disk: Set<string>, group: Group): { confirm(): void } {
  const { records, confirm } = recordsOf(group, (time) => time)
  for (const [{ number }, key, record] of records) {
    if (record === undefined) disk.delete(`${number} ${key}`)
    else disk.add(`${number} ${key}`)
  }
  return { confirm }
}

describe('a session that is forgotten', () => {
  it.each(['before it is sent', 'after that', 'after that, and nobody knows what has become of it'])(
    'while a group that has it is under way leaves nothing behind: %s',
    (when) => {
      const disk = new Set<string>()
      const changes = new Changes()
      const session = richSession('s')
      changes.keep('s', 'lasting', session, true)
      changes.keep('s', 'progress', session)
      const first = changes.takeGroup()
      if (when === 'before it is sent') changes.forget('s')
      const { confirm } = send(disk, first)
      expect(disk.size).toBeGreaterThan(4)
      if (when !== 'before it is sent') changes.forget('s')
      if (when.endsWith('become of it')) changes.putBackGroup(first)
      else {
        confirm()
        changes.confirmGroup(first)
      }
      send(disk, changes.takeGroup()).confirm()
      expect([...disk]).toEqual([])
    },
  )
})
