// What the log says of stored messages that the broker refuses.

import { describe, expect, it, onTestFinished } from 'vitest'
import { createRefusalLog } from '../../src/gateway/reports/refusal-log.ts'
import { createLog, silentLog } from '../../src/log.ts'
import { TestGateway, until } from '../support/gateway.ts'
import { startScriptedBroker } from '../support/scripted.ts'

describe('the log of refused stored messages', () => {
  it('has one line per rule, code and hour, with the name of the code', () => {
    const lines: object[] = []
    let now = 0
    const log = { ...silentLog, error: (fields: object) => lines.push(fields) }
    const tell = createRefusalLog(log as unknown as typeof silentLog, () => now)
    tell({ clientId: 'meter-1' }, 'meter-*', 0x87)
    tell({ clientId: 'meter-2' }, 'meter-*', 0x87)
    tell({ clientId: 'meter-2' }, 'meter-*', 0x97)
    tell({ clientId: 'valve' }, '*', 0x87)
    now = 3_600_000
    tell({ clientId: 'meter-3' }, 'meter-*', 0x87)
    expect(lines).toEqual([
      { rule: 'meter-*', clientId: 'meter-1', code: '0x87', reason: 'not authorized' },
      { rule: 'meter-*', clientId: 'meter-2', code: '0x97', reason: 'quota exceeded' },
      { rule: '*', clientId: 'valve', code: '0x87', reason: 'not authorized' },
      { rule: 'meter-*', clientId: 'meter-3', code: '0x87', reason: 'not authorized' },
    ])
  })

  it('names the rule of the sensor, and the messages arrive when the broker takes them', async () => {
    const taken: string[] = []
    let refuses = true
    const broker = await startScriptedBroker((peer, packet) => {
      if (packet.cmd !== 'publish' || packet.messageId === undefined) return undefined
      if (!refuses) taken.push(String(packet.payload))
      peer.send({ cmd: 'puback', messageId: packet.messageId, reasonCode: refuses ? 0x87 : 0 })
      return true
    })
    onTestFinished(() => broker.close())
    const lines: string[] = []
    const log = createLog(
      { level: 'error', format: 'json', payloads: false },
      { write: (line: string) => void lines.push(line) },
    )
    const test = await TestGateway.start(
      broker,
      { sensors: [{ match: '*', ack: 'store' }], broker: { version: '5' } },
      { durable: true, log },
    )
    onTestFinished(() => test.stop())
    const sensor = await test.connected()
    for (let i = 0; i < 5; i++) await sensor.publish('t', `${i}`, { qos: 1 })
    await until(() => lines.some((line) => line.includes('not authorized')))
    refuses = false
    await until(() => taken.length >= 5)
    expect(taken).toEqual(['0', '1', '2', '3', '4'])
    expect(lines.length).toBe(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ rule: '*', code: '0x87', clientId: sensor.clientId })
  })
})
