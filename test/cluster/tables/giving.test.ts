// What nodes ask of a real database about slots: taken and given in parts, never from who lives, never by a question that comes late.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { PostgresEngine } from '../../../lab/postgres/engine.ts'
import type { Engine, Identity } from '../../../src/cluster/judging/engine.ts'
import { createMembership } from '../../../src/cluster/tables/membership.ts'
import { LOOK } from '../../../src/cluster/tables/statements.ts'
import { allSlots, SLOTS } from '../../../src/sessions/slots.ts'
import { connectEngine, type EngineConnection } from '../../../src/store/postgres/engine/connection.ts'
import { prepareSchema } from '../../../src/store/postgres/schema.ts'
import { emptyStore, engineOf } from '../../store/postgres/place.ts'
import { hasPostgres, POSTGRES_START } from '../../support/postgres.ts'

describe.skipIf(!hasPostgres)('slots of nodes that each serve a share', () => {
  let server: PostgresEngine
  let connection: EngineConnection
  let engine: Engine

  beforeAll(async () => {
    server = await PostgresEngine.open()
    connection = await connectEngine({ ...engineOf(server.url), application: 'test' })
  }, POSTGRES_START)

  afterAll(async () => {
    await connection.close()
    await server.close()
  })

  beforeEach(async () => {
    await emptyStore(server)
    await prepareSchema(async (statement) => [...(await connection.query(statement))])
    const address = 'tcp://10.0.0.11:41000?link=10.0.0.11:1886#here'
    const describe = () => ({ address, version: '1', config: '{}', writers: 1 })
    engine = createMembership((text, values) => connection.query({ text, values }), 60_000, describe)
  })

  async function join(node: string): Promise<Identity> {
    const self = await engine.join(node, undefined)
    if (self === undefined) throw new Error(`${node} cannot join`)
    return self
  }

  /** Slots by their owners. */
  async function owned(): Promise<Record<string, number>> {
    const counts: Record<string, number> = {}
    for (const owner of (await engine.look()).owners) {
      const name = owner?.node ?? 'nobody'
      counts[name] = (counts[name] ?? 0) + 1
    }
    return counts
  }

  const epochOf = async (slot: number) => (await engine.look()).owners[slot]?.epoch

  it('are seen one by one, with their epochs, and where members have their links', async () => {
    const a = await join('a')
    expect(await owned()).toEqual({ nobody: SLOTS })
    expect(await engine.take(a, undefined, [0, 5, 1023])).toBe(3)
    const { owners, holdings, free, members } = await engine.look()
    expect([owners[0], owners[1], owners[1023]]).toEqual([{ ...a, epoch: 1 }, undefined, { ...a, epoch: 1 }])
    expect(holdings).toEqual([{ ...a, slots: 3, epoch: 1 }])
    expect(free).toBe(SLOTS - 3)
    expect(members[0]).toMatchObject({ node: 'a', link: '10.0.0.11:1886' })
  })

  it('of one that is gone are taken in parts, by several, and by nobody while it lives', async () => {
    const [a, b, c] = [await join('a'), await join('b'), await join('c')]
    await engine.take(a, undefined)
    const [even, odd] = [allSlots.filter((slot) => slot % 2 === 0), allSlots.filter((slot) => slot % 2 === 1)]
    expect(await engine.take(b, { ...a, proven: false }, even)).toBe(0)
    expect(await engine.take(b, { ...a, proven: true }, even)).toBe(512)
    expect(await engine.take(c, { ...a, proven: false }, odd)).toBe(512)
    expect(await engine.take(b, { ...a, proven: false }, odd)).toBe(0)
    expect(await owned()).toEqual({ b: 512, c: 512 })
    expect((await engine.renew(a, 'active')).renewed).toBe(false)
  })

  it('are given by their owner to members that live, and to no others', async () => {
    const [a, b, c] = [await join('a'), await join('b'), await join('c')]
    await engine.take(a, undefined)
    await engine.take(b, { ...c, proven: true }) // c is gone
    const gifts = [b, c].flatMap((to, i) => [
      { slot: 2 * i, epoch: 1, to },
      { slot: 2 * i + 1, epoch: 1, to },
    ])
    expect([...(await engine.give(a, gifts))].sort()).toEqual([0, 1])
    expect(await owned()).toEqual({ a: SLOTS - 2, b: 2 })
    expect(await engine.give(a, [{ slot: 0, epoch: 2, to: a }])).toEqual([]) // it is not a's any more
    expect(await epochOf(0)).toBe(2)
  })

  it('are not moved by a gift that comes after they were taken back', async () => {
    const [a, b] = [await join('a'), await join('b')]
    await engine.take(a, undefined)
    expect(await engine.give(a, [{ slot: 7, epoch: 1, to: a }])).toEqual([7])
    expect(await engine.give(a, [{ slot: 7, epoch: 1, to: b }])).toEqual([])
    expect(await owned()).toEqual({ a: SLOTS })
    expect(await epochOf(7)).toBe(2)
  })

  it('are free when their owner leaves, and the next one gets them with another epoch', async () => {
    const [a, b] = [await join('a'), await join('b')]
    await engine.take(a, undefined)
    await engine.leave(a)
    expect(await owned()).toEqual({ nobody: SLOTS })
    expect(await engine.take(b, undefined, [3])).toBe(1)
    expect(await epochOf(3)).toBe(2)
  })

  it('are looked at in a moment: the server compiles nothing for that, however dear it thinks the plan is', async () => {
    await join('gw-1')
    const explained = await connection.query({ text: `EXPLAIN (ANALYZE) ${LOOK}` })
    const plan = explained.flat().join('\n')
    expect(plan).toMatch(/Seq Scan on mqttsn_slot/)
    expect(plan).not.toMatch(/JIT/)
  })
})
