// Finding gateways by question and by listening [6.1], over real UDP on the loopback interface.

import { createSocket } from 'node:dgram'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { encode } from '../../src/codec/v1/frame.ts'
import { discover, type FoundGateway } from '../../src/sensor/sensor.ts'
import { openEndpoint } from '../support/endpoint.ts'
import { TestGateway } from '../support/gateway.ts'
import { UdpPeer } from '../support/sensor.ts'

let gateway: UdpPeer

beforeEach(async () => {
  gateway = await UdpPeer.open()
  gateway.script = (packet) =>
    packet.type === 'searchgw' ? [{ type: 'gwinfo', gwId: 7, gwAdd: new Uint8Array() }] : []
})

afterEach(() => gateway.close())

/** Ends a search as soon as something is found. */
function untilFound(): { signal: AbortSignal; onFound: (found: FoundGateway) => void } {
  const controller = new AbortController()
  return { signal: controller.signal, onFound: () => controller.abort() }
}

it('asks one address and finds the gateway there', async () => {
  const found = await discover({ unicast: gateway.url.slice('udp://'.length), radius: 2, ...untilFound() })
  expect(found).toEqual([{ gwId: 7, url: gateway.url, via: 'gwinfo', duration: 0, gwAdd: Buffer.alloc(0) }])
  expect(gateway.heard[0]?.hex).toBe('030102')
})

it('hears an ADVERTISE that is sent to the port', async () => {
  const probe = await UdpPeer.open('127.0.0.1')
  const { port } = probe
  await probe.close()
  const search = discover({ group: '127.255.255.255', port, ...untilFound() })
  const socket = createSocket('udp4')
  const bytes = encode({ type: 'advertise', gwId: 3, duration: 900 })
  const advertise = setInterval(() => socket.send(bytes, port, '127.0.0.1'), 20)
  try {
    expect(await search).toMatchObject([{ gwId: 3, via: 'advertise', duration: 900 }])
  } finally {
    clearInterval(advertise)
    socket.close()
  }
})

it('lists a gateway once, ignores everything else and ends at its timeout', async () => {
  gateway.script = (packet) =>
    packet.type === 'searchgw'
      ? [
          { type: 'pingresp' },
          { type: 'gwinfo', gwId: 7, gwAdd: new Uint8Array() },
          { type: 'gwinfo', gwId: 7, gwAdd: new Uint8Array() },
        ]
      : []
  expect(await discover({ unicast: gateway.url, timeout: 200 })).toHaveLength(1)
})

it('says what is wrong with an address', async () => {
  await expect(discover({ group: 'everywhere' })).rejects.toMatchObject({ code: 'invalid' })
  await expect(discover({ unicast: 'nowhere' })).rejects.toMatchObject({ code: 'invalid' })
})

it.each(['127.0.0.1', '0.0.0.0'])(
  'finds a gateway of its own machine, on %s, by a broadcast to its port, and takes nothing away from it',
  async (host) => {
    const test = await TestGateway.start('embedded', { listeners: [{ url: `udp://${host}:0` }] })
    const port = Number(/\d+$/.exec(test.url())?.[0])
    try {
      const search = discover({ group: '127.255.255.255', port, timeout: 1000 })
      const sensor = test.sensor({ gateway: `udp://127.0.0.1:${port}`, tRetry: 10_000 })
      await sensor.connect()
      await sensor.ping()
      const found = await search
      // only a listener on all addresses hears broadcasts
      expect(found.map(({ gwId, via }) => ({ gwId, via }))).toEqual(
        host === '0.0.0.0' ? [{ gwId: 1, via: 'gwinfo' }] : [],
      )
    } finally {
      await test.stop()
    }
  },
)

it('asks although a program does not share the port of the group, and hears direct answers', async () => {
  const other = await openEndpoint('0.0.0.0')
  other.socket.on('message', (_, from) =>
    other.socket.send(encode({ type: 'gwinfo', gwId: 9, gwAdd: new Uint8Array() }), from.port, from.address),
  )
  try {
    const found = await discover({ group: '127.255.255.255', port: other.port, ...untilFound() })
    expect(found).toMatchObject([{ gwId: 9, via: 'gwinfo' }])
  } finally {
    await other.close()
  }
})
