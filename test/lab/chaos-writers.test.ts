// What chaos has the database note of those who write to it.

import { describe, expect, it } from 'vitest'
import { WriterWatch } from '../../lab/chaos/nodes/writers.ts'
import type { PostgresEngine } from '../../lab/postgres/engine.ts'
import { connectEngine } from '../../src/store/postgres/engine/connection.ts'
import { readEngineUrl } from '../../src/store/postgres/engine/url.ts'
import { prepareSchema } from '../../src/store/postgres/schema.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'

/** for a machine that is busy with other things */
const TIMEOUT = 120_000

async function watchTables(): Promise<{ engine: PostgresEngine; watch: WriterWatch }> {
  const engine = await startPostgres()
  const url = readEngineUrl(engine.url)
  if ('expected' in url) throw new Error(url.expected)
  const connection = await connectEngine({ ...url, application: 'a test' })
  await prepareSchema((statement) => connection.query(statement))
  await connection.close()
  await engine.primary.sql(`UPDATE mqttsn_slot SET node = 'gw-1', incarnation = 7, epoch = 1 WHERE slot < 10`)
  return { engine, watch: await WriterWatch.install(engine) }
}

const writeAs = (engine: PostgresEngine, writer: string, slot: number) =>
  engine.primary.sql(
    `SET application_name = '${writer}'; INSERT INTO mqttsn_record VALUES (${slot}, 1, 1, '') ON CONFLICT (slot, session, key)
     DO UPDATE SET value = excluded.value; DELETE FROM mqttsn_record WHERE slot = ${slot}`,
  )

describe.skipIf(!hasPostgres)('who writes, as chaos has it noted (PostgreSQL)', { timeout: TIMEOUT }, () => {
  it('is the owner of the slot, and nobody else', async () => {
    const { engine, watch } = await watchTables()
    await writeAs(engine, 'mqttsn gw-1/7', 3)
    expect(await watch.faults()).toEqual([])
    await writeAs(engine, 'mqttsn gw-1/6', 4)
    await writeAs(engine, 'mqttsn gw-1/7', 11)
    expect((await watch.faults()).toSorted()).toEqual([
      'mqttsn gw-1/6 has written in slot 4, epoch 1, of mqttsn gw-1/7',
      'mqttsn gw-1/7 has written in slot 11, epoch 0, of nobody',
    ])
    expect(await watch.faults()).toEqual([])
    expect(await watch.writers()).toBe(2)
  })

  it('is one in each epoch, and epochs only grow', async () => {
    const { engine, watch } = await watchTables()
    await writeAs(engine, 'mqttsn gw-1/7', 3)
    await engine.primary.sql(
      `UPDATE mqttsn_slot SET node = 'gw-2', incarnation = 8, epoch = 2 WHERE slot IN (3, 4)`,
    )
    await engine.primary.sql(`UPDATE mqttsn_slot SET node = NULL, incarnation = NULL WHERE slot = 4`)
    await writeAs(engine, 'mqttsn gw-2/8', 3)
    expect(await watch.faults()).toEqual([])
    await engine.primary.sql(`UPDATE mqttsn_slot SET node = 'gw-3', incarnation = 9 WHERE slot = 3`)
    await writeAs(engine, 'mqttsn gw-3/9', 3)
    await engine.primary.sql(`UPDATE mqttsn_slot SET epoch = 1 WHERE slot = 4`)
    expect((await watch.faults()).toSorted()).toEqual([
      'in epoch 2 of slot 3 have written: mqttsn gw-2/8, mqttsn gw-3/9',
      'slot 3: gw-3/9, epoch 2, after gw-2/8, epoch 2',
      'slot 4: /, epoch 1, after /, epoch 2',
    ])
  })

  it('owns all slots, and lives', async () => {
    const { engine, watch } = await watchTables()
    const join = (node: string, incarnation: number, expires: string) =>
      engine.primary.sql(
        `INSERT INTO mqttsn_member VALUES ('${node}', ${incarnation}, '', '', '', 'active', ${expires})`,
      )
    expect(await watch.orphans()).toBe(1024)
    await engine.primary.sql(`UPDATE mqttsn_slot SET node = 'gw-2', incarnation = 8 WHERE slot >= 10`)
    await join('gw-2', 8, "clock_timestamp() + interval '1 hour'")
    await join('gw-1', 7, "clock_timestamp() - interval '1 second'")
    expect(await watch.orphans()).toBe(10)
    await engine.primary.sql("UPDATE mqttsn_member SET expires = 'infinity'")
    expect(await watch.orphans()).toBe(0)
  })
})
