// Connections go out from several addresses of this machine, in turn; loopback has many of them on Linux.

import { execFileSync, spawnSync } from 'node:child_process'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { missingAddresses } from '../../src/upstream/probe/local-addresses.ts'
import type { UpstreamLog, UpstreamOptions } from '../../src/upstream/upstream.ts'
import { type Broker, haveMosquitto, startMosquitto } from '../support/broker.ts'
import { startScriptedBroker } from '../support/scripted.ts'
import { connectOptions, type Mode, pause, Rig } from './harness.ts'

/** Whether all of 127.0.0.0/8 is this machine. */
const haveLoopbackNet = process.platform === 'linux'
const THREE = ['127.0.0.2', '127.0.0.3', '127.0.0.4']
/** not of this machine: documentation [RFC 5737] */
const FOREIGN = '192.0.2.1'

const names = vi.hoisted(() => ({ found: [] as { address: string; family: number }[] }))
vi.mock('node:dns', async (importOriginal) => ({
  ...(await importOriginal<typeof import('node:dns')>()),
  lookup(_name: string, _options: object, callback: (error: null, found: object[]) => void) {
    setImmediate(() => callback(null, names.found))
  },
}))
beforeEach(() => {
  names.found = []
})

interface Line {
  readonly level: string
  readonly text: string
  readonly fields: object
}

function logged(): { log: UpstreamLog; lines: Line[] } {
  const lines: Line[] = []
  const at = (level: string) => (fields: object, text: string) => void lines.push({ level, text, fields })
  return { lines, log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } }
}

/** Passes connections on to a broker, and notes where they came from. */
async function doorOf(broker: Pick<Broker, 'port'>): Promise<{ port: number; from: string[] }> {
  const from: string[] = []
  const { connect } = await import('node:net')
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    from.push(socket.remoteAddress ?? '')
    const inner = connect(broker.port, '127.0.0.1')
    for (const one of [socket, inner]) sockets.add(one.on('error', () => undefined))
    socket.pipe(inner).pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, from }
}

function rigAt(
  broker: { url: string; ca?: string | undefined },
  changes: Partial<UpstreamOptions>,
  mode: Mode = 'perSensor',
): Rig {
  const rig = new Rig(broker, changes, mode)
  onTestFinished(() => rig.close())
  return rig
}

async function scripted() {
  const broker = await startScriptedBroker()
  onTestFinished(() => broker.close())
  return broker
}

const healthy = async ({ upstream }: Rig) => {
  while (!upstream.healthy) await pause(5)
}
const countOf = (all: readonly string[]) =>
  Object.fromEntries(
    [...new Set(all)].sort().map((one) => [one, all.filter((other) => other === one).length]),
  )
const fromOf = (peers: readonly { socket: Socket }[]) => peers.map(({ socket }) => socket.remoteAddress ?? '')

describe.skipIf(!haveLoopbackNet || !haveMosquitto)(
  'at Mosquitto, the broker sees each address in turn',
  () => {
    it.each([
      ['TCP', {}],
      ['TLS', { tls: true }],
      ['WebSocket', { ws: true }],
      ['WebSocket over TLS', { tls: true, ws: true }],
    ])('over %s', async (_, options) => {
      const broker = await startMosquitto(options)
      onTestFinished(() => broker.close())
      const door = await doorOf(broker)
      const url = broker.url.replace(String(broker.port), String(door.port))
      const rig = rigAt({ url, ca: broker.ca }, { localAddresses: THREE })
      await healthy(rig)
      for (let i = 0; i < 8; i++) await rig.sensor().open(`sensor-${i}`)
      expect(countOf(door.from)).toEqual({ '127.0.0.2': 3, '127.0.0.3': 3, '127.0.0.4': 3 })
    })

    it('from connections that sensors share', async () => {
      const broker = await startMosquitto()
      onTestFinished(() => broker.close())
      const door = await doorOf(broker)
      const rig = rigAt({ url: `mqtt://127.0.0.1:${door.port}` }, { localAddresses: THREE }, { shared: 2 })
      await healthy(rig)
      for (let i = 0; i < 10; i++) await rig.sensor().open(`sensor-${i}`)
      expect(countOf(door.from)).toEqual({ '127.0.0.2': 1, '127.0.0.3': 1, '127.0.0.4': 1 })
    })
  },
)

describe.skipIf(!haveLoopbackNet)('addresses of this machine', () => {
  it('without a list, are chosen by the system', async () => {
    const broker = await scripted()
    const rig = rigAt(broker, {})
    await healthy(rig)
    await rig.sensor().open('sensor')
    expect(countOf(fromOf(broker.peers))).toEqual({ '127.0.0.1': 2 })
  })

  it('that it does not have are passed over without loss of time, and logged once with the key', async () => {
    const broker = await scripted()
    const { log, lines } = logged()
    const rig = rigAt(broker, {
      localAddresses: [FOREIGN, '127.0.0.2'],
      log,
      reconnect: { min: 10_000, max: 10_000 },
    })
    await healthy(rig)
    for (let i = 0; i < 5; i++) await rig.sensor().open(`sensor-${i}`)
    expect(countOf(fromOf(broker.peers))).toEqual({ '127.0.0.2': 6 })
    const errors = lines.filter(({ level }) => level === 'error')
    expect(errors).toMatchObject([{ fields: { localAddress: FOREIGN } }])
    expect(JSON.stringify(errors)).toContain('broker.localAddresses')
    expect(rig.upstream.stats()).toMatchObject({ connected: 5, connecting: 0, refused: 0, portless: 0 })
  })

  it('of which it has none are told in the reason why the broker cannot be reached', async () => {
    const broker = await scripted()
    const rig = rigAt(broker, { localAddresses: [FOREIGN] })
    const sensor = rig.sensor()
    sensor.connection.connect(connectOptions('sensor'))
    const { detail, outcome } = await sensor.next('refused')
    expect(outcome).toBe(1)
    expect(detail).toBe(`${FOREIGN}: this machine does not have the address: see broker.localAddresses`)
  })

  it('may be others after a reload, for connections from then on', async () => {
    const broker = await scripted()
    const rig = rigAt(broker, { localAddresses: ['127.0.0.2'] })
    await healthy(rig)
    await rig.sensor().open('one')
    const { upstreamOptions } = await import('./harness.ts')
    rig.upstream.renew(upstreamOptions(broker, { localAddresses: ['127.0.0.3'] }))
    await rig.sensor().open('two')
    rig.upstream.renew(upstreamOptions(broker))
    await rig.sensor().open('three')
    expect(fromOf(broker.peers)).toEqual(['127.0.0.2', '127.0.0.2', '127.0.0.3', '127.0.0.1'])
  })

  it('and a name with several of the broker: where nothing listens the next is tried at once', async () => {
    const broker = await scripted() // on 127.0.0.1
    names.found = ['127.0.0.9', '127.0.0.8', '127.0.0.1'].map((address) => ({ address, family: 4 }))
    const url = `mqtt://broker.example:${broker.port}`
    const rig = rigAt({ url }, { localAddresses: THREE, reconnect: { min: 10_000, max: 10_000 } })
    await healthy(rig)
    for (let i = 0; i < 5; i++) await rig.sensor().open(`sensor-${i}`)
    expect(new Set(fromOf(broker.peers))).toEqual(new Set(THREE))
    expect(rig.upstream.stats()).toMatchObject({ connected: 5, connecting: 0, refused: 0 })
  })

  it('of a family that the name of the broker has not are left out', async () => {
    const broker = await scripted()
    names.found = [{ address: '127.0.0.1', family: 4 }]
    const url = `mqtt://broker.example:${broker.port}`
    const rig = rigAt(
      { url },
      { localAddresses: ['::1', '127.0.0.2'], reconnect: { min: 10_000, max: 10_000 } },
    )
    await healthy(rig)
    for (let i = 0; i < 3; i++) await rig.sensor().open(`sensor-${i}`)
    expect(countOf(fromOf(broker.peers))).toEqual({ '127.0.0.2': 4 })
  })

  it('that a machine has or has not are told apart before anything connects', async () => {
    expect(await missingAddresses(THREE)).toEqual([])
    expect(await missingAddresses(['127.0.0.2', FOREIGN, '2001:db8::1'])).toMatchObject([
      {
        index: 1,
        says: expect.stringMatching(/^192\.0\.2\.1: this machine .*: see broker\.localAddresses$/),
      },
      { index: 2, says: expect.stringContaining('broker.localAddresses') },
    ])
  })
})

const PROGRAM = join(import.meta.dirname, 'few-ports.ts')
const mayUnshare =
  haveLoopbackNet &&
  spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' }).status === 0

describe.skipIf(!mayUnshare)('in a network of its own with ten ports', () => {
  const run = (sensors: number, ...localAddresses: string[]) => {
    const script =
      'ip link set lo up && echo 60000 60009 > /proc/sys/net/ipv4/ip_local_port_range && exec "$@"'
    const program = [process.execPath, '--import', 'tsx', PROGRAM, String(sensors)]
    const out = execFileSync('unshare', ['-n', 'sh', '-c', script, 'sh', ...program, ...localAddresses])
    return JSON.parse(out.toString()) as {
      connected: number
      portless: number
      details: string[]
      lines: Line[]
    }
  }

  it('one address carries ten connections, the others are refused with the key to change, counted, and logged once', () => {
    const { connected, portless, details, lines } = run(15, '127.0.0.2')
    expect(connected).toBe(9) // and the gateway's own
    expect(portless).toBeGreaterThanOrEqual(6)
    expect(new Set(details)).toEqual(new Set([expect.stringContaining('broker.localAddresses')]))
    expect(lines.filter(({ text }) => text.includes('no local port'))).toHaveLength(1)
  })

  it('three addresses carry thirty: where one has no port left the next is tried', () => {
    const { connected, details } = run(29, '127.0.0.2', '127.0.0.3', '127.0.0.4')
    expect([connected, details]).toEqual([29, []])
  })

  it('without a list the reason names the key as well', () => {
    const { connected, portless, details } = run(12)
    expect(connected).toBe(9)
    expect(portless).toBeGreaterThanOrEqual(3)
    expect(details[0]).toContain('broker.localAddresses')
  })
})
