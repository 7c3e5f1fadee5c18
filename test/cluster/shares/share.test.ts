// A share that cannot give its slots away: it tries again, and leaves the engine alone between two attempts.

import { describe, expect, it } from 'vitest'
import type { Gift, Identity, MemberState } from '../../../src/cluster/judging/engine.ts'
import { Judge } from '../../../src/cluster/judging/judge.ts'
import { Share, type SlotDoor } from '../../../src/cluster/shares/share.ts'
import { silentLog } from '../../../src/log.ts'
import { allSlots } from '../../../src/sessions/slots.ts'
import { VirtualTable } from './virtual-table.ts'

const LEASE = 5000
/** Milliseconds that a question to the engine takes. */
const WAY = 5
const door: SlotDoor = { adopt: async () => {}, release: async () => {} }

type Give = (table: VirtualTable, now: number, self: Identity, gifts: readonly Gift[]) => readonly number[]

/** What a node does within some seconds that has all slots, when there is another one that should have half of them, or all. */
async function live(state: MemberState, give: Give, through: Partial<SlotDoor> = {}) {
  const table = new VirtualTable(LEASE)
  const self = table.join(0, 'a', undefined) as Identity
  const other = table.join(0, 'b', undefined) as Identity
  table.take(0, self, undefined, allSlots)
  const judge = new Judge(LEASE)
  let [now, nextAt, looks, gives] = [0, 0, 0, 0]
  const share: Share = new Share({
    engine: {
      async give(_self, gifts) {
        gives += 1
        return give(table, now, self, gifts)
      },
    },
    settle: 0,
    log: silentLog,
    now: () => now,
    look: () => {
      nextAt = Math.min(nextAt, now + WAY)
    },
    onDeposed: () => expect.unreachable(),
  })
  share.begin(allSlots, { ...door, ...through })
  let isEmptied = false
  void share.emptied().then(() => {
    isEmptied = true
  })
  for (; now < 10_000; now += WAY) {
    table.look(now, other, 'active')
    if (now >= nextAt) {
      looks += 1
      const look = table.look(now, self, state)
      judge.noteAnswer(now, now)
      share.decide({ node: 'a', self, look, judge, now, isProven: () => false, state })
      nextAt = now + Math.min(LEASE / 5, Math.max(50, share.soon))
      share.follow(self, now)
    }
    await new Promise(setImmediate)
  }
  const [given, served] = [table.owners.filter((owner) => owner?.node === 'b').length, share.served]
  return { looks, gives, given, served, isEmptied }
}

const giveAll: Give = (table, now, self, gifts) => table.give(now, self, gifts)

describe('a share that gives its slots away', () => {
  it('has given all of them within seconds when its node stops', async () => {
    expect(await live('draining', giveAll)).toMatchObject({ given: 1024, served: 0, isEmptied: true })
  })

  for (const state of ['active', 'draining'] as const) {
    it(`tries some times in a second while its sensors cannot be written, and asks the engine no more often: ${state}`, async () => {
      let releases = 0
      const release = async () => {
        releases += 1
        throw new Error('the store cannot write')
      }
      const { looks, gives, given } = await live(state, giveAll, { release })
      expect([gives, given]).toEqual([0, 0])
      expect(releases).toBeGreaterThan(10)
      expect(releases).toBeLessThan(60)
      expect(looks).toBeLessThan(120)
    })

    it(`tries some times in a second while the engine takes no gift, and asks it no more often: ${state}`, async () => {
      const { looks, gives } = await live(state, () => {
        throw new Error('no rights')
      })
      expect(gives).toBeGreaterThan(10)
      expect(gives).toBeLessThan(100)
      expect(looks).toBeLessThan(120)
    })

    it(`tries some times in a second while nobody can get them, as the engine says: ${state}`, async () => {
      const { looks, gives } = await live(state, () => [])
      expect(gives).toBeGreaterThan(10)
      expect(gives).toBeLessThan(60)
      expect(looks).toBeLessThan(120)
    })
  }
})
