// Sessions of slots that are read from the database: whole, each once, and with few questions, each of which waits behind groups.

import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { PostgresEngine } from '../../../lab/postgres/engine.ts'
import { connectEngine } from '../../../src/store/postgres/engine/connection.ts'
import { loadSessions } from '../../../src/store/postgres/load.ts'
import { hasPostgres, POSTGRES_START } from '../../support/postgres.ts'
import { durable } from '../contract.ts'
import { messageOf, sessionOf } from '../sessions.ts'
import { emptyStore, engineOf, openOn } from './place.ts'

/** of sensors named by their slot, a dot and a number */
const slotOf = (clientId: string) => Number.parseInt(clientId, 10)

function contentsOf(id: number): object {
  const { topic, payload } = messageOf(id)
  return { id, topic, payload: [...payload] }
}

describe.skipIf(!hasPostgres)('sessions in a database', () => {
  let engine: PostgresEngine

  beforeAll(async () => {
    engine = await PostgresEngine.open()
  }, POSTGRES_START)

  afterAll(() => engine.close())

  beforeEach(() => emptyStore(engine))

  /** Stores sessions of these names, with so many messages each. */
  async function fill(names: readonly string[], messages: number): Promise<void> {
    const store = await openOn(engine, { slotOf })
    for (const name of names) {
      store.save(sessionOf(name))
      for (let id = 1; id <= messages; id += 1) store.keepMessage(name, messageOf(id))
    }
    await durable(store)
    await store.close()
  }

  /** The sessions in these slots, with the numbers of their messages, and how many questions that took. */
  async function read(slots: Iterable<number>): Promise<{ found: string[]; questions: number }> {
    const connection = await connectEngine({ ...engineOf(engine.url), application: 'test' })
    onTestFinished(() => connection.close())
    let questions = 0
    const found: string[] = []
    const sessions = loadSessions(
      {
        query: (statement) => {
          questions += 1
          return connection.query(statement)
        },
        toMonotonic: (stored) => stored,
        owns: () => true,
        onNumber: () => {},
        slotOf,
        onMisplaced: (sessions) => found.push(`${sessions} are misplaced`),
      },
      new Set(slots),
    )
    for await (const piece of sessions)
      for (const { session } of piece) {
        const { messages, record } = session
        const contents = messages.map(({ id, topic, payload }) => ({ id, topic, payload: [...payload] }))
        expect(contents).toEqual(messages.map((_, index) => contentsOf(index + 1)))
        found.push(`${record.lasting.clientId} ${messages.length}`)
      }
    return { found: found.sort(), questions }
  }

  it('are read with few questions where a node takes up many slots that do not follow each other', async () => {
    const all = Array.from({ length: 1024 }, (_, slot) => slot)
    await fill(
      all.map((slot) => `${slot}.1`),
      0,
    )
    const third = all.filter((slot) => slot % 3 === 1)
    const { found, questions } = await read(third)
    expect(found).toEqual(third.map((slot) => `${slot}.1 0`).sort())
    expect(questions).toBeLessThan(8)
  }, 60_000)

  it('are read whole, and each once, where slots hold more than a page, or less, or nothing', async () => {
    const names = [
      ...Array.from({ length: 90 }, (_, i) => `4.${i}`),
      ...Array.from({ length: 3 }, (_, i) => `6.${i}`),
      ...Array.from({ length: 40 }, (_, i) => `7.${i}`),
      '8.0',
      ...Array.from({ length: 70 }, (_, i) => `900.${i}`),
      '1023.0',
    ]
    await fill(names, 13)
    const wanted = [0, 4, 5, 6, 8, 900, 901, 1023]
    const expected = names.filter((name) => wanted.includes(slotOf(name))).map((name) => `${name} 13`)
    const { found, questions } = await read(wanted)
    expect(found).toEqual(expected.sort())
    expect(questions).toBeLessThan(16)
    expect((await read([5, 901])).found).toEqual([])
    expect((await read([])).found).toEqual([])
  }, 60_000)

  it('come with their messages in order where one has more than several pages', async () => {
    await fill(['3.1', '3.2'], 1300)
    const { found } = await read([3])
    expect(found).toEqual(['3.1 1300', '3.2 1300'])
  }, 60_000)
})
