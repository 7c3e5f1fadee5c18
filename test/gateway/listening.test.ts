// What the log says of a listener that only this machine can reach, and nothing of one that others can.

import { expect, it, onTestFinished } from 'vitest'
import { Gateway } from '../../src/gateway/gateway.ts'
import { createLog } from '../../src/log.ts'
import { testConfig } from '../support/gateway.ts'

/** The lines of a gateway's start with listeners at these urls. */
async function startLines(...urls: string[]): Promise<Record<string, unknown>[]> {
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  const log = createLog({ level: 'info', format: 'json', payloads: false }, { write })
  const gateway = new Gateway(testConfig('embedded', { listeners: urls.map((url) => ({ url })) }), { log })
  await gateway.start()
  onTestFinished(async () => void (await gateway.stop()))
  return lines.map((line) => JSON.parse(line))
}

it('tells where a listener is on loopback, and what lets sensors elsewhere reach it', async () => {
  const lines = await startLines('udp://127.0.0.1:0', 'udp://[::1]:0')
  const told = lines.filter(({ msg }) => msg === 'only this machine can reach this listener')
  expect(told.map(({ listener, level }) => [listener, level])).toEqual([
    ['udp://127.0.0.1:0', 'info'],
    ['udp://[::1]:0', 'info'],
  ])
  expect(told[0]?.['remedy']).toMatch(/listeners\[\]\.url "udp:\/\/0\.0\.0\.0:1884".*"allow".*firewall/)
})
