// Refusals as people meet them: one line of the log that says what to change, a counter, and no flood of either [SN-ROB-2].

import { describe, expect, it, onTestFinished } from 'vitest'
import { createCounters } from '../../src/gateway/counters.ts'
import { EXPLANATIONS } from '../../src/gateway/reports/refusal-texts.ts'
import { createRefusals } from '../../src/gateway/reports/refusals.ts'
import { createLog } from '../../src/log.ts'
import type { Refusal, RefusalReason } from '../../src/session/refusal.ts'
import { freshName, TestGateway, until } from '../support/gateway.ts'
import { World } from '../support/world.ts'

interface Line {
  level: string
  msg: string
  reason?: string
  peer?: string
  peers?: string[]
  clientId?: string
  key?: string
  times?: number
}

function openLog() {
  const written: string[] = []
  const log = createLog(
    { level: 'info', format: 'json', payloads: false },
    { write: (line: string) => void written.push(line) },
  )
  const lines = (): Line[] => written.map((line) => JSON.parse(line))
  return { log, lines, refused: () => lines().filter(({ msg }) => msg.startsWith('refused: ')) }
}

function scene() {
  const { log, lines } = openLog()
  const counters = createCounters()
  const clock = { now: 0 }
  const shown: Refusal[] = []
  const refusals = createRefusals({
    counters,
    log,
    onRefused: (one) => void shown.push(one),
    now: () => clock.now,
  })
  const world = new World()
  const report = (reason: RefusalReason, address = '10.0.0.1', clientId = 'dev1') =>
    refusals.report({ reason, peer: world.sensor(address).peer, clientId, returnCode: 3 })
  return { counters, clock, shown, refusals, report, lines, world }
}

describe('the log', () => {
  it('tells once a minute per reason and address, with address, ClientId, the key to change and how often', () => {
    const { clock, counters, shown, report, lines } = scene()
    for (let i = 0; i < 50; i++) report('client-id-too-long')
    report('denied')
    report('client-id-too-long', '10.0.0.2', 'dev2')
    expect(lines()).toMatchObject([
      {
        reason: 'client-id-too-long',
        peer: '10.0.0.1:5000',
        clientId: 'dev1',
        key: 'limits.clientIdLength',
        times: 1,
      },
      { reason: 'denied', key: 'sensors[].deny' },
      { reason: 'client-id-too-long', peer: '10.0.0.2:5000', clientId: 'dev2' },
    ])
    clock.now = 60_000
    report('client-id-too-long')
    expect(lines().at(-1)).toMatchObject({ times: 50, peer: '10.0.0.1:5000' })
    expect(counters.refusals).toEqual({ 'client-id-too-long': 52, denied: 1 })
    expect(shown).toHaveLength(53)
  })

  it('is not flooded from forged addresses', () => {
    const { report, lines, clock } = scene()
    for (let i = 0; i < 20_000; i++) report('denied', `10.1.${i >> 8}.${i & 255}`)
    expect(lines()).toHaveLength(100)
    clock.now = 60_000
    report('denied', '10.9.9.9')
    expect(lines()).toHaveLength(101)
  })

  it('tells of two devices with one ClientId once a minute, with both addresses', () => {
    const { refusals, lines, world } = scene()
    world.sensor('10.0.0.3').connect('twin')
    const session = world.session('twin')
    const [peer, other] = [world.sensor('10.0.0.1').peer, world.sensor('10.0.0.2').peer]
    for (let i = 0; i < 20; i++) refusals.reportContested({ session, peer, other })
    expect(lines()).toMatchObject([{ clientId: 'twin', peers: ['10.0.0.2:5000', '10.0.0.1:5000'] }])
  })

  it('has a sentence for each reason', () => {
    for (const { text } of Object.values(EXPLANATIONS)) expect(text).toMatch(/^[a-z].{10,}[^.]$/)
  })
})

const connect = (clientId: string, protocolId = 1) =>
  ({ type: 'connect', will: false, cleanSession: true, protocolId, duration: 60, clientId }) as const

describe('a gateway', () => {
  it('names the key `listeners[].forwarders` when an address that is not listed speaks for nodes [SN-FWD-9]', async () => {
    const { log, refused } = openLog()
    const test = await TestGateway.start('embedded', {}, { log })
    onTestFinished(() => test.stop())
    const peer = await test.peer()
    for (let i = 0; i < 20; i++) peer.send('05fe00123408040401003c6e31')
    await until(() => test.gateway.status().counters.refusals['forwarder-not-listed'] === 20)
    expect(refused()).toMatchObject([
      { level: 'warn', reason: 'forwarder-not-listed', key: 'listeners[].forwarders', clientId: 'n1' },
    ])
    expect(refused()[0]?.peer).toMatch(/^127\.0\.0\.1:\d+\/1234$/)
  })

  it('names the keys `allow` and `deny` for an address that may not send [SN-ROB-2]', async () => {
    const { log, refused } = openLog()
    const listeners = [{ url: 'udp://127.0.0.1:0', deny: ['127.0.0.9'] }]
    const test = await TestGateway.start('embedded', { listeners }, { log })
    onTestFinished(() => test.stop())
    const peer = await test.peer('127.0.0.9')
    peer.send(connect('dev1'))
    await until(() => test.gateway.status().counters.refusals['address-not-admitted'] === 1)
    expect(refused()).toMatchObject([{ key: 'listeners[].allow, listeners[].deny' }])
  })

  it.each<[RefusalReason, () => Parameters<typeof connect>]>([
    ['client-id-too-long', () => ['x'.repeat(65)]],
    ['client-id-empty', () => ['']],
    ['wrong-protocol', () => [freshName(), 2]],
    ['denied', () => ['banned-1']],
    ['wrong-address', () => ['elsewhere-1']],
  ])('tells why a CONNECT got 0x03: %s [SN-CONN-8, SN-ROB-2]', async (reason, values) => {
    const { log, refused } = openLog()
    const sensors = [
      { match: 'banned-*', deny: true },
      { match: 'elsewhere-*', from: ['10.0.0.0/8'] },
    ]
    const test = await TestGateway.start('embedded', { sensors }, { log })
    onTestFinished(() => test.stop())
    const peer = await test.peer()
    peer.send(connect(...values()))
    expect(await peer.next('connack')).toMatchObject({ returnCode: 3 })
    expect(refused()).toMatchObject([{ reason, peer: expect.stringContaining('127.0.0.1:') }])
    expect(test.gateway.status().counters.refusals).toEqual({ [reason]: 1 })
  })

  it('takes ClientIds of 64 octets unless told otherwise, and of 23 if told so [SN-CONN-5]', async () => {
    for (const [limits, length] of [
      [{}, 64],
      [{ clientIdLength: 23 }, 23],
    ] as const) {
      const test = await TestGateway.start('embedded', { limits })
      onTestFinished(() => test.stop())
      for (const [octets, returnCode] of [
        [length, 0],
        [length + 1, 3],
      ] as const) {
        const peer = await test.peer()
        peer.send(connect('x'.repeat(octets)))
        expect(await peer.next('connack')).toMatchObject({ returnCode })
      }
    }
  })

  it('carries twenty buttons behind one address, each once a second, and logs once when it limits more [SN-QM1-9]', async () => {
    const { log, refused } = openLog()
    const test = await TestGateway.start('embedded', {}, { log })
    onTestFinished(() => test.stop())
    const buttons = await Promise.all(Array.from({ length: 20 }, () => test.peer()))
    for (let second = 0; second < 5; second++) for (const button of buttons) button.send('080c62616200007a')
    await until(() => test.gateway.status().counters.published >= 100)
    expect(test.gateway.status().counters.refusals).toEqual({})
    for (let i = 0; i < 40; i++) {
      for (const button of buttons) button.send('080c62616200007a')
      await new Promise(setImmediate)
    }
    await until(() => (test.gateway.status().counters.refusals['qos-minus-one-rate'] ?? 0) > 0)
    expect(refused()).toMatchObject([{ reason: 'qos-minus-one-rate', key: 'qosMinusOne.perAddress' }])
  })
})
