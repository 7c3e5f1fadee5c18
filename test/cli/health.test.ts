// `mqttsn health` at a real gateway, at one whose broker is gone, and where nobody is.

import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { healthCommand } from '../../src/cli/health.ts'
import { type LiveGateway, startLiveGateway } from '../support/live-gateway.ts'
import { start } from '../support/process.ts'
import { FakeTerminal } from '../support/sensor.ts'

let live: LiveGateway
beforeAll(async () => {
  live = await startLiveGateway('a token of enough characters')
})
afterAll(() => live.stop())
afterEach(() => vi.unstubAllEnvs())

async function health(...args: string[]) {
  const terminal = new FakeTerminal()
  const code = await terminal.run(healthCommand(terminal), ...args)
  return [code, terminal.lines.join(), terminal.errors.join()]
}

it('needs no token, and says that the gateway is ready and alive', async () => {
  expect(await health('--url', live.url)).toEqual([0, 'ready', ''])
  expect(await health('--live', '--url', live.url)).toEqual([0, 'alive', ''])
})

it('finds the gateway by the variable that configures it, also where that serves every address', async () => {
  vi.stubEnv('MQTTSN_CONSOLE__URL', live.url)
  expect(await health()).toEqual([0, 'ready', ''])
  vi.stubEnv('MQTTSN_CONSOLE__URL', live.url.replace('127.0.0.1', '0.0.0.0'))
  expect(await health()).toEqual([0, 'ready', ''])
})

it('says what the gateway lacks where its broker is gone; it is alive all the same', async () => {
  // nobody listens on the discard port
  const broken = { broker: 'mqtt://127.0.0.1:9', console: { url: 'http://127.0.0.1:0' } }
  const { said } = await start(broken, '-c', 'c.json')
  const { console: url = '' } = await said('gateway started')
  expect(await health('--url', url)).toEqual([1, '', `error: ${url}: the broker cannot be reached`])
  expect(await health('--live', '--url', url)).toEqual([0, 'alive', ''])
})

it('ends with 3 where nobody listens', async () => {
  const gone = await startLiveGateway()
  await gone.stop()
  expect(await health('--url', gone.url)).toEqual([3, '', expect.stringContaining('nobody listens there')])
})
