// What the log has of sensors at level info: connects, goodbyes and losses; no sleep cycles; and whose messages were dropped.

import { describe, expect, it } from 'vitest'
import { createDroppedLog } from '../../src/gateway/reports/dropped-messages.ts'
import { createLog } from '../../src/log.ts'
import { freshName, TestGateway } from '../support/gateway.ts'

interface Line {
  level: string
  msg: string
  clientId?: string
  reason?: string
  key?: string
  times?: number
}

/** A log whose lines can be read. */
function readable(level: 'info' | 'debug' = 'info') {
  const lines: Line[] = []
  const stream = {
    isTTY: false,
    hasColors: () => false,
    write: (line: string) => void lines.push(JSON.parse(line)),
  }
  return { lines, log: createLog({ level, format: 'json', payloads: false }, stream) }
}

describe('the log at level info', () => {
  it('has no sleep cycles, neither by PINGREQ nor by CONNECT, and still has connects and goodbyes', async () => {
    const { lines, log } = readable()
    const test = await TestGateway.start('embedded', {}, { log })
    const clientId = freshName()
    const sensor = await test.connected({ clientId, cleanSession: false })
    for (let i = 0; i < 3; i++) {
      await sensor.sleep(60)
      await sensor.wake()
      await sensor.connect()
    }
    await sensor.disconnect()
    await test.stop()
    const said = lines.filter((line) => line.clientId === clientId).map(({ msg }) => msg)
    expect(said).toEqual(['sensor active', 'sensor disconnected'])
  })

  it('has them at debug', async () => {
    const { lines, log } = readable('debug')
    const test = await TestGateway.start('embedded', {}, { log })
    const clientId = freshName()
    const sensor = await test.connected({ clientId, cleanSession: false })
    await sensor.sleep(60)
    await sensor.wake()
    await test.stop()
    const said = lines.filter((line) => line.clientId === clientId).map(({ msg }) => msg)
    expect(said).toEqual(expect.arrayContaining(['sensor asleep', 'sensor awake']))
  })
})

describe('dropped messages of a sensor', () => {
  it('have one line a minute with ClientId, reason and key, which counts the others', () => {
    const { lines, log } = readable()
    let now = 0
    const say = createDroppedLog(log, () => now)
    for (let i = 0; i < 5; i++) say({ clientId: 'a' }, 'queue-full')
    say({ clientId: 'b' }, 'queue-full')
    say({ clientId: 'a' }, 'superseded') // as the rule says: nothing is wrong
    now += 60_000
    say({ clientId: 'a' }, 'queue-full')
    expect(lines).toMatchObject([
      {
        level: 'warn',
        clientId: 'a',
        reason: 'queue-full',
        times: 1,
        key: expect.stringContaining('limits.queued'),
      },
      { clientId: 'b', times: 1 },
      { clientId: 'a', times: 5 },
    ])
  })

  it('do not fill the log when thousands of sensors lose some', () => {
    const { lines, log } = readable()
    const say = createDroppedLog(log, () => 0)
    for (let i = 0; i < 5000; i++) say({ clientId: `s${i}` }, 'queue-full')
    expect(lines).toHaveLength(20)
  })
})
