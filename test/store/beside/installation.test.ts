// The digits that tell an installation from others.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these variables are filled in by the gateway

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { installationOf } from '../../../src/store/beside/installation.ts'
import { haveMosquitto, startMosquitto } from '../../support/broker.ts'
import { TestGateway, until } from '../../support/gateway.ts'
import { startScriptedBroker } from '../../support/scripted.ts'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'mqttsn-installation-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

it('the digits of an installation stay the same where they are kept, and differ between folders', () => {
  const [one, other] = [folder(), folder()]
  const digits = installationOf(one)
  expect(digits).toMatch(/^[0-9a-f]{8}$/)
  expect(installationOf(one)).toBe(digits)
  expect(installationOf(other)).not.toBe(digits)
  expect(readdirSync(one)).toEqual(['installation.txt'])
})

it('digits that cannot be kept or read are made anew', () => {
  expect(installationOf(undefined)).not.toBe(installationOf(undefined))
  expect(installationOf('/proc/nowhere')).toMatch(/^[0-9a-f]{8}$/)
  const damaged = folder()
  writeFileSync(join(damaged, 'installation.txt'), 'something else\n')
  const digits = installationOf(damaged)
  expect(digits).toMatch(/^[0-9a-f]{8}$/)
  expect(installationOf(damaged)).toBe(digits)
})

it("the gateway's own ClientId is the same after a restart, and no sensor may have it", async () => {
  const broker = await startScriptedBroker()
  onTestFinished(() => broker.close())
  const own = { clientId: 'gw-${gatewayId}-${installation}' }
  const sensors = [{ match: 'half-*', clientId: 'gw-1-${clientId}' }, { match: '*' }]
  const test = await TestGateway.start(broker, { broker: own, sensors }, { durable: true })
  onTestFinished(() => test.stop())
  await test.restart()
  await until(() => broker.peers.length === 2)
  const [first, second] = broker.peers.map(({ clientId }) => clientId)
  expect(first).toMatch(/^gw-1-[0-9a-f]{8}$/)
  expect(second).toBe(first)
  await expect(test.connected({ clientId: first ?? '', tRetry: 500, nRetry: 0 })).rejects.toMatchObject({
    returnCode: 3,
  })
  expect(test.gateway.status().counters.dropped['name-taken']).toBe(1)
})

it.skipIf(!haveMosquitto)('two gateways with the default ClientId do not meet at the broker', async () => {
  const broker = await startMosquitto()
  onTestFinished(() => broker.close())
  const own = { clientId: 'mqttsn-gateway-${gatewayId}-${installation}' }
  const tests = await Promise.all([1, 2].map(() => TestGateway.start(broker, { broker: own })))
  onTestFinished(async () => {
    for (const test of tests) await test.stop()
  })
  for (let look = 0; look < 30; look += 1) {
    expect(tests.map((test) => test.gateway.isHealthy())).toEqual([true, true])
    await new Promise((done) => setTimeout(done, 10))
  }
})
