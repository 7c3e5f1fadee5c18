// A store that is larger than the memory of the process.

import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { openLmdbStore } from '../../src/store/lmdb/lmdb.ts'
import { startAedes } from '../support/broker.ts'
import { durable } from './contract.ts'
import { sessionOf, uplinkOf } from './sessions.ts'

const SENSORS = 15
const EACH = 2000
const OCTETS = 2048
const HEAP = 40 // MiB

it('opens and drains to the broker with a small heap: payloads lie on the disk, in order, each once', async () => {
  const base = await mkdtemp(join(tmpdir(), 'mqttsn-large-'))
  onTestFinished(() => rm(base, { recursive: true, force: true }))
  const folder = join(base, 'state')
  const store = await openLmdbStore({ path: folder })
  for (let sensor = 0; sensor < SENSORS; sensor++) {
    const session = sessionOf(`s${sensor}`)
    session.established = true
    session.cleanSession = false
    session.link.nextToken = EACH + 1
    store.save(session)
    for (let token = 1; token <= EACH; token++) {
      const data = new Uint8Array(OCTETS).fill(token & 0xff)
      store.keepUplink(
        `s${sensor}`,
        uplinkOf(token, { topic: `from/${sensor}/${token}`, retain: false, data }),
      )
    }
    await durable(store)
  }
  await store.close()
  const broker = await startAedes()
  onTestFinished(() => broker.close())
  const last = new Array<number>(SENSORS).fill(0)
  let wrong = 0
  broker.aedes.on('publish', ({ topic, payload }) => {
    const [first, sensor, token] = topic.split('/').map((part, i) => (i === 0 ? part : Number(part)))
    if (first !== 'from') return
    const isNext = last[Number(sensor)] === Number(token) - 1
    if (!isNext || payload.length !== OCTETS || payload[OCTETS - 1] !== (Number(token) & 0xff)) wrong += 1
    last[Number(sensor)] = Number(token)
  })
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, [`--max-old-space-size=${HEAP}`, '--import', 'tsx', 'test/store/drain.ts', folder, broker.url]) // biome-ignore format: a command
  expect(JSON.parse(stdout)).toMatchObject({ messages: SENSORS * EACH })
  expect([wrong, new Set(last)]).toEqual([0, new Set([EACH])])
}, 60_000)
