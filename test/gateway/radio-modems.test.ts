// Sensors behind simulated LoRaLink modems and Aquila bridges, at a real gateway and a real broker.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, type TestContext } from 'vitest'
import { AquilaBridge } from '../../src/simulation/radio/aquila-bridge.ts'
import { LoralinkModem } from '../../src/simulation/radio/loralink-modem.ts'
import type { RadioNode } from '../../src/simulation/radio/node.ts'
import {
  callGateway,
  type RunningRadio,
  type SimulatedModem,
  serveRadio,
  serveRadioOnPty,
} from '../../src/simulation/radio/run-radio.ts'
import { haveMosquitto, startMosquitto } from '../support/broker.ts'
import { freshName, Office, TestGateway } from '../support/gateway.ts'
import { hasSocat } from '../support/ptys.ts'

function chance(seed = 11): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
const air = { clock: () => performance.now(), random: chance(), loss: 0.05, octetsPerSecond: 20_000 }

async function onPty(modem: SimulatedModem, { onTestFinished }: TestContext): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'mqttsn-radio-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const radio = await serveRadioOnPty(modem, join(folder, 'modem'))
  if (radio === undefined) throw new Error('there is no modem')
  onTestFinished(() => radio.close())
  return radio.place
}

async function behindTcp(modem: SimulatedModem, { onTestFinished }: TestContext): Promise<string> {
  const radio = await serveRadio(modem)
  onTestFinished(() => radio.close())
  return radio.place
}

/** A gateway, and the office. */
async function gatewayAt(url: string, { onTestFinished }: TestContext) {
  const mosquitto = await startMosquitto()
  onTestFinished(() => mosquitto.close())
  const test = await TestGateway.start(mosquitto, {
    listeners: [{ url, name: 'radio' }],
    timers: { tRetry: '500ms', nRetry: 20 },
  })
  onTestFinished(() => test.stop())
  const base = `radio/${freshName()}`
  const office = await Office.at(mosquitto, `${base}/up/#`)
  onTestFinished(() => office.close())
  const link = () => test.gateway.status().listeners[0]?.stats.link
  return { test, office, link, up: `${base}/up`, down: `${base}/down` }
}

/** Publishes at every QoS and hears what is published for it, at every QoS; what QoS 0 loses is not missed. */
async function talk(
  { test, office, up, down }: Awaited<ReturnType<typeof gatewayAt>>,
  node: RadioNode,
): Promise<string | undefined> {
  const sensor = await test.connected({ transport: node, tRetry: 400, nRetry: 20 })
  await sensor.subscribe(`${down}/${node.address}`, 2)
  for (const qos of [0, 1, 2] as const)
    await sensor.publish(`${up}/${node.address}`, `reading ${qos}`, { qos })
  const seen = new Set<string>()
  while (!(seen.has('reading 1') && seen.has('reading 2'))) seen.add((await office.inbox.next()).text)
  for (const qos of [1, 2] as const) await office.publish(`${down}/${node.address}`, `order ${qos}`, { qos })
  const heard = new Set<string>()
  while (heard.size < 2) heard.add((await sensor.inbox.next(20_000)).text)
  return test.gateway.sessions.byClientId.get(sensor.clientId)?.peer?.address
}

describe.skipIf(!haveMosquitto)('sensors behind an Aquila bridge (mosquitto)', () => {
  it('are many by two octets, and the bridge gets one frame at a time [LINK-GW-1, LINK-DL-1]', async (context) => {
    const bridge = new AquilaBridge(air)
    const url = `tcp://${await behindTcp(bridge, context)}?framing=aquila&pan=42`
    const gateway = await gatewayAt(url, context)
    bridge.askForSettings()
    for (const n of ['2', '49344']) expect(await talk(gateway, bridge.node(n))).toBe(`aquila/${n}`)
    expect(bridge.settings).toEqual({ pan: 42, key: 'ff'.repeat(16) })
    expect([bridge.overlaps, bridge.uart.overrun]).toEqual([0, 0])
    expect(gateway.link()).toMatchObject({
      up: true,
      signal: { lqi: 200 },
      errors: { noise: 0, checksum: 0 },
    })
  })

  it('that calls the gateway, and calls again after the connection broke [LINK-GW-1]', async (context) => {
    const bridge = new AquilaBridge(air)
    const gateway = await gatewayAt('tcp-listen://127.0.0.1:0?framing=aquila', context)
    const port = Number(/:(\d+)\?/.exec(gateway.test.url())?.[1])
    let radio: RunningRadio = await callGateway(bridge, port)
    context.onTestFinished(() => radio.close())
    await talk(gateway, bridge.node('7'))
    await radio.close()
    radio = await callGateway(bridge, port)
    await talk(gateway, bridge.node('8'))
    expect(bridge.overlaps).toBe(0)
  })

  it.skipIf(!hasSocat)('on a serial line (socat)', async (context) => {
    const bridge = new AquilaBridge(air)
    const key = '000102030405060708090a0b0c0d0e0f'
    const url = `serial://${await onPty(bridge, context)}?framing=aquila&key=${key}`
    const gateway = await gatewayAt(url, context)
    expect(gateway.test.url()).toContain('key=...')
    await talk(gateway, bridge.node('300'))
    await expect.poll(() => bridge.settings, { timeout: 5000 }).toEqual({ pan: 1, key })
  })
})

describe.skipIf(!haveMosquitto)('sensors behind LoRaLink modems (mosquitto)', () => {
  it('are many by one octet, and the modem gets one frame at a time [LINK-GW-1, LINK-DL-1]', async (context) => {
    const modem = new LoralinkModem({ ...air, busy: 0.05 })
    const url = `tcp://${await behindTcp(modem, context)}?framing=loralink`
    const gateway = await gatewayAt(url, context)
    for (const n of ['5', '126']) expect(await talk(gateway, modem.node(n))).toBe(`lora/${n}`)
    expect([modem.overlaps, modem.uart.overrun]).toEqual([0, 0])
    expect(gateway.link()).toMatchObject({
      up: true,
      signal: { rssi: -60 },
      errors: { noise: 0, checksum: 0 },
    })
  })

  it.skipIf(!hasSocat)('with one device that receives and one that sends (socat)', async (context) => {
    const modem = new LoralinkModem({ ...air, isPair: true })
    const [rx, tx] = [await onPty(modem, context), await onPty(modem.sender, context)]
    const gateway = await gatewayAt(`loralink://${rx}?tx=${tx}`, context)
    expect(await talk(gateway, modem.node('9'))).toBe('lora/9')
    expect(modem.overlaps).toBe(0)
  })
})
